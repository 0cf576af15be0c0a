"""The stage that makes frames, with the integer front end: training sees what the C computes."""

from dataclasses import replace

import numpy as np
import pytest

from rnn_edge.features.fixed_point import IntegerLogMelConfig
from rnn_edge.features.fixed_point.logmel import raw_of
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.material import FRAMES, FRONT_END, make_frames
from rnn_edge.pipeline.training_sets import POOL
from rnn_edge.spec import load_spec
from rnn_edge.types import AudioClip, AudioDataset
from rnn_edge.types.frames import FrameSet


def dataset(seed=0):
    rng = np.random.default_rng(seed)
    clips = tuple(
        AudioClip(
            f"{label}/{split}{k}",
            np.clip(rng.normal(0, 10.0 ** rng.uniform(0, 4), 16_000), -32768, 32767).astype(
                np.int16
            ),
            label,
            f"speaker {k}",
            split,
        )
        for split in ("train", "validation", "test")
        for label in ("yes", "no", "up", "down", "unknown", "silence")
        for k in range(2)
    )
    noise = (AudioClip("hum", clips[0].pcm, "_background_noise_", "", "train"),)
    return AudioDataset(
        "made", True, 16_000, ("yes", "no", "up", "down", "unknown", "silence"), clips, noise
    )


@pytest.mark.parametrize("has_levels", [False, True])
def test_frames_and_pool_are_made_in_integers(tmp_path, has_levels):
    levels = [
        f"features.{key}={str(has_levels).lower()}"
        for key in ("noise_suppression", "gain_normalisation")
    ]
    spec = load_spec("demo", ["features.arithmetic=integer", *levels, "augment.copies=2"])
    data = dataset()
    make_frames(spec, data, tmp_path, lambda done, total: None)
    front_end = FrontEnd.load(tmp_path / FRONT_END)
    assert front_end.config == IntegerLogMelConfig(
        noise_suppression=has_levels, gain_normalisation=has_levels
    )
    frames = FrameSet.load(tmp_path / FRAMES)
    for clip, sequence in zip(data.clips, frames.sequences, strict=True):
        expected = front_end.quantize_input(front_end.raw_frames(clip.pcm))
        np.testing.assert_array_equal(sequence.frames * 4096.0, expected)
    training = np.concatenate([s.frames for s in frames.sequences if s.split == "train"])
    assert abs(training.mean()) < 0.01
    assert abs(training.std() - 1.0) < 0.02
    with np.load(tmp_path / POOL, allow_pickle=False) as pool:
        x = pool["x"][:4]
    grid = x * 4096.0
    np.testing.assert_array_equal(grid, np.rint(grid))
    # Another front end would give other frames.
    other = replace(front_end, config=replace(front_end.config, gain_normalisation=not has_levels))
    pcm = data.clips[0].pcm
    assert not np.array_equal(raw_of(other.raw_frames(pcm)), raw_of(front_end.raw_frames(pcm)))
