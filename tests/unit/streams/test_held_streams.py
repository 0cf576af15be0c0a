"""Silence and saturation: inputs that stay where they are."""

import numpy as np
import pytest

from rnn_edge.streams import open_stream, read_whole
from rnn_edge.types.frames import FrameSequence, FrameSet


def clips(labels, *levels):
    """One clip of ten frames at each (label, level)."""
    made = [
        FrameSequence(f"c{k}", np.full((10, 4), level, np.float32), label, None, "test")
        for k, (label, level) in enumerate(levels)
    ]
    return FrameSet(labels, 50.0, tuple(made))


def held(stream):
    whole = read_whole(stream)
    assert np.array_equal(whole.frames, np.broadcast_to(whole.frames[0], whole.frames.shape))
    assert list(whole.starts) == [0]
    return whole.frames[0]


def test_channels_rest_at_their_mean(make_spec, make_frames):
    stream = open_stream(make_spec("silence"), make_frames(), steps=5000)
    assert np.array_equal(held(stream), np.zeros(3))
    assert "at the mean" in stream.description


def test_sound_rests_at_the_quietest_frames_of_silence(make_spec):
    frames = clips(("yes", "silence"), (0, -1.5), (1, -1.0), (1, -0.5))
    stream = open_stream(make_spec("silence", "kws"), frames, steps=100)
    assert np.array_equal(held(stream), np.full(4, -1.0))
    assert 'of 20 frames of class "silence"' in stream.description


@pytest.mark.parametrize("labels", [("yes", "no"), ("yes", "silence")])
def test_without_silence_the_quietest_of_all_count(make_spec, labels):
    # The second has a class without a clip in the part.
    frames = clips(labels, (0, -1.5), (0, 0.5))
    stream = open_stream(make_spec("silence", "kws"), frames, steps=100)
    assert np.array_equal(held(stream), np.full(4, -1.5))
    assert "of all classes" in stream.description


def test_saturated_inputs_are_at_an_end(make_spec, make_frames):
    spec = make_spec("saturation", stretch=40)
    whole = read_whole(open_stream(spec, make_frames(), steps=400))
    high, low = np.float32(32767 / 4096), np.float32(-8.0)
    assert set(np.unique(whole.frames)) == {high, low}
    assert list(whole.starts) == [0]
    for first in (0, 160):
        stretches = whole.frames[first : first + 160].reshape(4, 40, 3)
        assert (stretches[0] == high).all()
        assert (stretches[1] == low).all()
        assert (stretches[2] == [high, low, high]).all()
        assert 0.3 < (stretches[3] == high).mean() < 0.7
    random = whole.frames[120:160], whole.frames[280:320]
    assert not np.array_equal(*random)


def test_patterns_are_those_asked_for(make_spec, make_frames):
    spec = make_spec("saturation", stretch=2, patterns=("low", "high"))
    whole = read_whole(open_stream(spec, make_frames(), steps=6)).frames[:, 0]
    assert list(np.sign(whole)) == [-1, -1, 1, 1, -1, -1]
