"""Parallel streams of sequences: every batch goes on where the last one stopped."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnn_edge.types import Array


class StreamBatch(NamedTuple):
    """One step of all lanes.

    Attributes:
        indices: int64 [B], the sequence each lane reads next.
        carry: float32 [B, 1], 1 where the lane keeps its state, 0 where it starts from zero.
    """

    indices: Array
    carry: Array


class Lanes:
    """Endless lanes of sequences.

    Clips are dealt in a shuffled order, every clip once per epoch; recordings are followed from
    sequence to successor. A lane that jumps within a recording always starts from zero; otherwise
    it does so with a given probability, so that a model learns to work both fresh and carried.
    """

    def __init__(
        self,
        count: int,
        lanes: int,
        reset_probability: float,
        successor: Array | None,
        generator: np.random.Generator,
    ) -> None:
        """Prepares the lanes.

        Args:
            count: Number of sequences N.
            lanes: Number of parallel streams B.
            reset_probability: Share of sequences that start from a zero state, 0..1.
            successor: int64 [N] or None, see `SequenceSet`.
            generator: Source of every draw.
        """
        self._count = count
        self._lanes = lanes
        self._reset_probability = reset_probability
        self._successor = successor
        self._generator = generator
        self._deck = np.zeros(0, dtype=np.int64)
        self._current: Array | None = None

    def next(self) -> StreamBatch:
        """Returns the next sequence of every lane."""
        jumped = np.ones(self._lanes, dtype=bool)
        indices = np.zeros(self._lanes, dtype=np.int64)
        if self._successor is not None and self._current is not None:
            indices = self._successor[self._current]
            jumped = indices < 0
        indices = np.where(jumped, 0, indices)
        indices[jumped] = self._deal(int(jumped.sum()))
        fresh = self._generator.uniform(size=self._lanes) < self._reset_probability
        if self._current is None:
            fresh[:] = True
        elif self._successor is not None:
            fresh |= jumped
        self._current = indices
        return StreamBatch(indices, (~fresh).astype(np.float32)[:, None])

    def _deal(self, wanted: int) -> Array:
        while self._deck.size < wanted:
            self._deck = np.concatenate([self._deck, self._generator.permutation(self._count)])
        dealt, self._deck = self._deck[:wanted], self._deck[wanted:]
        return dealt
