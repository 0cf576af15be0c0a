"""The single steps that details are taken of: evenly spaced over all chunks of a stream."""

import numpy as np
import pytest

from rnn_edge.drift import closed_loop
from rnn_edge.drift.closed_loop import Side, replay_pair
from rnn_edge.evaluation.detections import KeywordRule
from rnn_edge.streams import FrameStream
from rnn_edge.streams.base import Chunk
from rnn_edge.types import Trace


class Counted(FrameStream):
    """Frame t holds t, in chunks of a size that fits nothing."""

    name, description, inputs, steps = "counted", "one after the other", 1, 5000

    def chunks(self, size=777):
        frames = np.arange(self.steps, dtype=np.float32)[:, None]
        for first in range(0, self.steps, size):
            yield Chunk(frames[first : first + size], np.zeros(0, np.int64))


class Echo:
    """Its state is the last frame, and something that tells the two engines apart."""

    def __init__(self, offset):
        self.offset = offset

    def run(self, x):
        return Trace(np.repeat(x, 2, axis=1), {"h0": x + np.float32(self.offset)})


class Kept:
    def __init__(self):
        self.seen = []

    def update(self, x, float_before, integer_before):
        self.seen.append((x, float_before["h0"], integer_before["h0"]))

    def merge(self, other):
        self.seen += other.seen

    def to_json(self):
        return {}


def rule():
    return KeywordRule(("no", "yes"), "linear", 3, 0.5)


@pytest.mark.parametrize(("most", "every"), [(5000, 1), (1000, 5), (700, 8), (3, 1667)])
def test_every_so_many_steps_are_looked_into_whatever_the_chunks(monkeypatch, most, every):
    monkeypatch.setattr(closed_loop, "DETAILED_STEPS", most)
    kept = Kept()
    sides = Side("one", Echo(0.25), None), Side("other", Echo(0.5), None)
    found = replay_pair(Counted(), *sides, (rule(), rule()), kept)
    assert found.steps == Counted.steps
    x, first, second = (np.concatenate(parts)[:, 0] for parts in zip(*kept.seen, strict=True))
    np.testing.assert_array_equal(x, np.arange(0, Counted.steps, every))
    # The state before a step is that after the one before; a stream begins at zero.
    np.testing.assert_array_equal(first[1:], x[1:] - 1 + 0.25)
    np.testing.assert_array_equal(second[1:], x[1:] - 1 + 0.5)
    assert (first[0], second[0]) == (0.0, 0.0)
