"""The stage that makes frames, with the integer sensor front end: training sees what the C does."""

import numpy as np
import pytest

from rnn_edge.data.synthetic_machine import CHANNELS
from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.evaluate import silent_sensors
from rnn_edge.pipeline.material import FRAMES, FRONT_END, make_frames
from rnn_edge.spec import load_spec
from rnn_edge.types import SensorDataset, SensorRecording
from rnn_edge.types.frames import FrameSet


def dataset(seed=0):
    rng = np.random.default_rng(seed)
    recordings = []
    for split in ("train", "validation", "test"):
        values = np.cumsum(rng.normal(size=(300, 6)), axis=0) * 10.0 ** np.arange(-2, 4)
        flags = np.zeros(300, np.bool_)
        if split == "test":
            values[100:200, 2] = values[99, 2]
            flags[100:200] = True
        recordings.append(SensorRecording(split, values, flags, split))
    return SensorDataset("made", True, 2.0, CHANNELS, tuple(recordings))


def spec_of(*further):
    return load_spec("demo_anomaly", ["features.arithmetic=integer", *further])


@pytest.mark.parametrize("further", [(), ("features.window_samples=8", "features.hop_samples=2")])
def test_frames_are_made_in_integers(tmp_path, further):
    data = dataset()
    spec = spec_of(*further, "features.has_deviation=true")
    make_frames(spec, data, tmp_path, lambda done, total: None)
    front_end = FrontEnd.load(tmp_path / FRONT_END)
    assert front_end.kind == "channels-integer"
    assert front_end.config.stuck_samples == (16,) * 6
    frames = FrameSet.load(tmp_path / FRAMES)
    for recording, sequence in zip(data.recordings, frames.sequences, strict=True):
        stream = front_end.stream()
        expected = front_end.quantize_input(stream.push(recording.values))
        np.testing.assert_array_equal(sequence.frames * 4096.0, expected)
        skipped = np.tile((stream.flags & 0x08) != 0, (1, 2))
        if recording.split == "test":
            np.testing.assert_array_equal(sequence.skipped, skipped)
            assert skipped.any(axis=0).tolist() == [k % 6 == 2 for k in range(12)]
            # A silent sensor has the inputs of the frame before.
            late = np.flatnonzero(skipped[:, 2])
            np.testing.assert_array_equal(sequence.frames[late, 2], sequence.frames[late - 1, 2])
        else:
            assert sequence.skipped is None
    told = silent_sensors(frames)
    assert list(told) == [CHANNELS[2], f"{CHANNELS[2]} deviation"]
    assert 0.2 < told[CHANNELS[2]] == frames.sequences[2].skipped[:, 2].mean() < 0.4
    training = frames.sequences[0].frames
    assert np.abs(training.mean(axis=0)).max() < 0.01
    if not further:
        np.testing.assert_allclose(training[:, :6].std(axis=0), 1.0, atol=0.02)


def test_a_range_that_given_exponents_do_not_hold_is_told(tmp_path):
    spec = spec_of("features.exponents=[-5,-5,-5,-5,-5,-20]")
    with pytest.raises(DataError, match="channel 5 with exponent -20"):
        make_frames(spec, dataset(), tmp_path, lambda done, total: None)


def test_training_in_which_every_sensor_is_stuck_is_told(tmp_path):
    with pytest.raises(DataError, match=r"failed in every frame .* stuck_samples = 1"):
        make_frames(
            spec_of("features.stuck_samples=1"), dataset(), tmp_path, lambda done, total: None
        )


def test_a_window_that_is_longer_than_every_recording_is_told(tmp_path):
    spec = spec_of("features.window_samples=400", "features.hop_samples=100")
    with pytest.raises(DataError, match=r"window_samples = 400; .* has 300 samples") as caught:
        make_frames(spec, dataset(), tmp_path, lambda done, total: None)
    assert caught.value.hint.startswith("set features.window_samples to at most 300")


def test_sensors_that_fail_by_what_training_says_are_told_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(FrontEnd, "skipped", lambda self, values: np.ones((len(values), 6), bool))
    with pytest.raises(DataError, match=r"stuck_samples as fitted to it \(16, 16") as caught:
        make_frames(spec_of(), dataset(), tmp_path, lambda done, total: None)
    assert "None" not in str(caught.value)
    assert "set features.stuck_samples to a greater number" in caught.value.hint
