"""Curves of any length in bounded memory: the least and the largest value of equal stretches."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

MOST_BUCKETS = 1024
"""Stretches at most; when there are more, neighbours are joined in pairs."""


class Envelope:
    """Holds values by stretch; whatever peak there was is still seen.

    Args:
        width: Values K of a sample.

    Attributes:
        length: Samples of a stretch, a power of two.
        samples: Samples so far, from the first on.
    """

    def __init__(self, width: int) -> None:
        self.length, self.samples = 1, 0
        self._low = np.full((2 * MOST_BUCKETS, width), np.inf)
        self._high = np.full((2 * MOST_BUCKETS, width), -np.inf)

    def add(self, values: Array) -> None:
        """Add consecutive samples float (N, K); values that are no numbers are passed over."""
        # A stretch that is begun is joined with what comes; blocks keep what is held at once small.
        for first in range(0, len(values), MOST_BUCKETS):
            self._add(values[first : first + MOST_BUCKETS])

    def _add(self, values: Array) -> None:
        end = self.samples + len(values)
        while end > MOST_BUCKETS * self.length:
            self._join()
        rows = np.arange(self.samples, end) // self.length
        np.fmin.at(self._low, rows, values)
        np.fmax.at(self._high, rows, values)
        self.samples = end

    @property
    def buckets(self) -> int:
        """Stretches that hold something."""
        return -(-self.samples // self.length)

    def low(self) -> Array:
        """Return the least values (B, K); NaN where there was no number."""
        found = self._low[: self.buckets]
        return np.where(np.isinf(found), np.nan, found)

    def high(self) -> Array:
        """Return the largest values (B, K); NaN where there was no number."""
        found = self._high[: self.buckets]
        return np.where(np.isinf(found), np.nan, found)

    def _join(self) -> None:
        half = len(self._low) // 2
        for held, empty, join in ((self._low, np.inf, np.fmin), (self._high, -np.inf, np.fmax)):
            held[:half] = join(held[0::2], held[1::2])
            held[half:] = empty
        self.length *= 2
