"""How the values of each feature are distributed, as a table of quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from rnn_edge.types import Array

LEVELS = 4096
"""Values kept of each feature."""

REACH = 4.5
"""The table goes so many standard deviations to either side: one value in 150,000 is beyond."""


@dataclass(frozen=True, eq=False)
class Marginals:
    """Values of each feature by normal score.

    Attributes:
        table: float32 (D, LEVELS); column k has the value at the score
            ``REACH * (2 * k / (LEVELS - 1) - 1)``. Every one was observed.
    """

    table: Array

    @classmethod
    def fit(cls, frames: Array) -> Marginals:
        """Return the quantiles of frames (T, D)."""
        scores = np.linspace(-REACH, REACH, LEVELS)
        ranks = np.ceil(_normal_cdf(scores) * len(frames)).astype(np.int64) - 1
        ordered = np.sort(frames, axis=0)[np.clip(ranks, 0, len(frames) - 1)]
        return cls(np.ascontiguousarray(ordered.T, np.float32))

    def values(self, scores: Array) -> Array:
        """Return float32 (T, D), the values at normal scores (T, D); the nearest in the table."""
        steps = (scores + REACH) * ((LEVELS - 1) / (2.0 * REACH))
        np.clip(np.rint(steps, out=steps), 0, LEVELS - 1, out=steps)
        index = steps.astype(np.int64)
        index += np.arange(len(self.table)) * LEVELS
        return np.asarray(self.table.ravel().take(index))


def _normal_cdf(scores: Array) -> Array:
    normal = NormalDist()
    return np.array([normal.cdf(float(score)) for score in scores])
