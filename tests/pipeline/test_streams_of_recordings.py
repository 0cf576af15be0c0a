"""Synthetic streams of real recordings have their statistics."""

from dataclasses import replace

import numpy as np
import pytest
from stream_statistics import compare

from rnn_edge.features.normaliser import Normaliser
from rnn_edge.pipeline.material import frames_of, front_end, read_dataset
from rnn_edge.spec import SyntheticStream, load_spec
from rnn_edge.streams import open_stream, read_whole


def fitted(features, dataset, split):
    """The front end with the normaliser of one part, which is enough here."""
    if hasattr(dataset, "clips"):
        raw = [features.raw_frames(c.pcm) for c in dataset.clips if c.split == split]
    else:
        raw = [features.raw_frames(r.values) for r in dataset.recordings if r.split == split]
    return replace(features, normaliser=Normaliser.fit(np.concatenate(raw)))


def measured(name, data, split, steps):
    spec = load_spec(name)
    dataset = read_dataset(spec, data)
    frames = frames_of(dataset, fitted(front_end(spec, dataset), dataset, split))
    stream = SyntheticStream(task=spec.model.task, kind="synthetic", split=split, seed=7)
    whole = read_whole(open_stream(stream, frames, steps=steps)).frames
    assert np.isfinite(whole).all()
    return compare([s.frames for s in frames.part(split)], whole)


def test_a_water_circuit_goes_on(recordings):
    # Its memory is a thousand frames long: a distribution takes many of them to show.
    found = measured("anomaly_gru", recordings / "anomaly-skab.tar.xz", "train", 1_000_000)
    assert found["marginals"] < 0.04
    assert found["lag 0"] < 0.1
    assert found["lag 1"] < 0.1


@pytest.mark.slow
def test_speech_goes_on(recordings):
    found = measured("kws_gru", recordings / "kws-sc.tar", "test", 400_000)
    assert found["marginals"] < 0.02
    assert found["lag 0"] < 0.02
    assert found["lag 1"] < 0.02
