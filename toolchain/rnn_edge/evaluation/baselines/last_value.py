"""That every channel stays as it is: the forecast that costs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.evaluation.baselines.base import Baseline, BaselineKind
from rnn_edge.types import Array


@dataclass(frozen=True, eq=False)
class LastValue(Baseline):
    """Difference of each channel to its last value; there is nothing to fit."""

    @classmethod
    def fit(cls, normal: Sequence[Array]) -> LastValue:
        """Return it; normal frames only say what differences are usual, which a detector asks."""
        return cls()

    @classmethod
    def restore(cls, arrays: Mapping[str, Array]) -> LastValue:
        """Return it."""
        return cls()

    def residuals(self, frames: Array) -> Array:
        """Return each frame less the one before, float64 (T, D); of the first, 0."""
        x = np.asarray(frames, np.float64)
        return np.diff(x, axis=0, prepend=x[:1])

    def arrays(self) -> dict[str, Array]:
        """Return nothing."""
        return {}


BASELINE = BaselineKind("last value", "last value as forecast", LastValue.fit, LastValue.restore)
