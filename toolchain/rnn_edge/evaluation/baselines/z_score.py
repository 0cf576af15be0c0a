"""How far every channel is from its normal mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from rnn_edge.evaluation.baselines.base import Baseline, BaselineKind, spread_of
from rnn_edge.types import Array


@dataclass(frozen=True, eq=False)
class ZScore(Baseline):
    """Distance of each channel to its mean, in standard deviations.

    Attributes:
        mean: float64 (D,) of normal frames.
        deviation: float64 (D,), above 0.
    """

    mean: Array
    deviation: Array

    @classmethod
    def fit(cls, normal: Sequence[Array]) -> Self:
        """Take mean and deviation from normal frames (T, D) of each recording."""
        return cls(*spread_of(normal))

    @classmethod
    def restore(cls, arrays: Mapping[str, Array]) -> Self:
        """Return what `arrays` was taken from."""
        return cls(arrays["mean"], arrays["deviation"])

    def residuals(self, frames: Array) -> Array:
        """Return the z-scores, float64 (T, D)."""
        return np.asarray((np.asarray(frames, np.float64) - self.mean) / self.deviation)

    def arrays(self) -> dict[str, Array]:
        """Return mean and deviation."""
        return {"mean": self.mean, "deviation": self.deviation}


BASELINE = BaselineKind("z-score", "z-score of every channel", ZScore.fit, ZScore.restore)
