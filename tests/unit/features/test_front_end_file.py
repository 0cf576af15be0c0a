"""A front end is loaded from wherever it was saved, and takes samples as people have them."""

import numpy as np
import pytest

from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.normaliser import Normaliser


@pytest.fixture
def saved(tmp_path):
    bands = LogMelConfig().bands
    normaliser = Normaliser(np.zeros(bands, np.float32), np.full(bands, 3, np.float32))
    FrontEnd(LogMelConfig(), ("pcm",), 16_000.0, normaliser).save(tmp_path / "front_end.npz")
    return tmp_path / "front_end.npz"


def test_a_path_may_be_text(saved):
    assert FrontEnd.load(str(saved)).frame_rate_hz == FrontEnd.load(saved).frame_rate_hz == 50.0


def test_int16_and_float_samples_give_the_same_frames(saved):
    pcm = np.random.default_rng(0).integers(-9000, 9000, 16_000).astype(np.int16)
    front_end = FrontEnd.load(str(saved))
    frames = front_end.frames(pcm)
    assert frames.shape == (49, 40)
    assert frames.dtype == np.float32
    assert np.array_equal(frames, front_end.frames(pcm.astype(np.float32) / np.float32(32768.0)))
