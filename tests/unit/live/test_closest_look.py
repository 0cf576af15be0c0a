"""The frames about the largest score are held whole, whatever the length of the stream."""

import numpy as np
import pytest

from rnn_edge.live.closest import FRAMES, ClosestLook


def looked_at(scores, hop=1, window=1, piece=64):
    """Return a look at a stream whose sample p is p, in pieces ahead of its frames."""
    look = ClosestLook(hop, window)
    samples = (len(scores) - 1) * hop + window
    values = np.arange(samples, dtype=np.float64)[:, None]
    step = 0
    for first in range(0, samples, piece):
        part = values[first : first + piece]
        look.add_samples(first, part)
        while step < len(scores) and step * hop + window <= first + len(part):
            look.add(step, step * hop + window, scores[step], (scores[step],))
            step += 1
    return look


@pytest.mark.parametrize(("hop", "window"), [(1, 1), (2, 5), (4, 4)])
@pytest.mark.parametrize("peak", [3, 900, 2995])
def test_the_peak_is_in_it_with_its_own_samples(hop, window, peak):
    scores = np.ones(3000)
    scores[peak] = 7.0
    found = looked_at(scores, hop, window).result()
    at = peak - found.first
    assert found.frames[at, 0] == 7.0
    assert len(found.frames) <= FRAMES
    assert found.position <= found.first * hop
    last = (found.first + len(found.frames) - 1) * hop + window
    np.testing.assert_array_equal(found.samples[:, 0], np.arange(found.position, last))
    if FRAMES < peak < 3000 - FRAMES:
        assert at == FRAMES - 1 - FRAMES // 2


def test_what_is_held_does_not_grow():
    look = looked_at(np.linspace(0, 1, 50_000))
    assert len(look._frames) == FRAMES
    assert sum(len(samples) for _, samples in look._samples) <= FRAMES + 2 * 64


def test_without_a_frame_there_is_nothing_to_look_at():
    assert ClosestLook(1, 1).result() is None
