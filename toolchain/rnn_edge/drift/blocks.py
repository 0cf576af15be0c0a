"""Sums over consecutive stretches of a stream of any length, in bounded memory."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

FIRST_LENGTH = 16
MOST_BLOCKS = 1024


class BlockSums:
    """Adds up a value per step in equal blocks; when there are too many, neighbours are joined.

    The length of a block is 16 steps times a power of two, so that any two can be merged.

    Attributes:
        length: Steps of a block.
        sums: float64 (N,), by block.
        counts: int64 (N,), values in each sum.
        common: Steps that every stream has.
        is_mixed: Whether some have more than others.
    """

    def __init__(self) -> None:
        self.length = FIRST_LENGTH
        self.sums: Array = np.zeros(0)
        self.counts: Array = np.zeros(0, np.int64)
        self.common, self.is_mixed = 0, False

    def add(self, first: int, values: Array) -> None:
        """Add values float64 (T,) of the steps from ``first`` on."""
        if not len(values):
            return
        last = first + len(values) - 1
        while last // self.length >= MOST_BLOCKS:
            self._coarsen()
        self._reach(last // self.length + 1)
        begin = first // self.length
        edges = np.arange(begin, last // self.length + 1) * self.length
        starts = np.maximum(edges - first, 0)
        rows = slice(begin, begin + len(starts))
        self.sums[rows] += np.add.reduceat(values, starts)
        self.counts[rows] += np.diff(np.append(starts, len(values)))
        self.common = first + len(values)

    def merge(self, other: BlockSums) -> None:
        """Add another stream's sums, step by step from the start of each; both have steps."""
        theirs = BlockSums()
        theirs.length = other.length
        theirs.sums, theirs.counts = other.sums.copy(), other.counts.copy()
        while self.length < theirs.length:
            self._coarsen()
        while theirs.length < self.length:
            theirs._coarsen()
        self._reach(len(theirs.sums))
        self.sums[: len(theirs.sums)] += theirs.sums
        self.counts[: len(theirs.counts)] += theirs.counts
        self.is_mixed |= other.is_mixed or self.common != other.common
        self.common = min(self.common, other.common)

    def means(self, most: int) -> tuple[Array, Array]:
        """Return the means of at most ``most`` equal stretches, and the step each ends at.

        The last stretch is left out where it is less than half as long as the others. What lies
        behind the end of the shortest stream is left out: a mean over fewer streams is another
        one, whatever the time. There is no stretch where that stream is shorter than a block.
        """
        # The block in which the shortest one ends holds more of the others.
        blocks = self.common // self.length if self.is_mixed else len(self.sums)
        joined = max(1, -(-blocks // most))
        starts = np.arange(0, blocks, joined)
        sums, counts = self.sums[:blocks], self.counts[:blocks]
        if blocks:
            sums, counts = np.add.reduceat(sums, starts), np.add.reduceat(counts, starts)
        ends = np.minimum(starts + joined, blocks) * self.length
        full = counts >= counts.max(initial=0) / 2
        return sums[full] / np.maximum(counts[full], 1), ends[full]

    def _coarsen(self) -> None:
        starts = np.arange(0, len(self.sums), 2)
        if len(starts):
            self.sums = np.add.reduceat(self.sums, starts)
            self.counts = np.add.reduceat(self.counts, starts)
        self.length *= 2

    def _reach(self, blocks: int) -> None:
        missing = blocks - len(self.sums)
        if missing > 0:
            self.sums = np.concatenate([self.sums, np.zeros(missing)])
            self.counts = np.concatenate([self.counts, np.zeros(missing, np.int64)])
