"""Hotelling's T2 and the squared prediction error Q of principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.evaluation.baselines.base import Baseline, BaselineKind, spread_of
from rnn_edge.types import Array

EXPLAINED = 0.9
"""Share of the variance that the kept components explain."""
SMALLEST_SHARE = 1e-6
"""Of the variance, that a component has for T2 at least; less is rounding."""


@dataclass(frozen=True, eq=False)
class PrincipalComponents(Baseline):
    """Distance within the plane that normal frames lie in (T2), and from it (Q).

    Attributes:
        mean: float64 (D,) of normal frames.
        deviation: float64 (D,), above 0.
        components: float64 (D, K), orthonormal columns: the plane, of standardised channels.
        variances: float64 (K,), above 0, along them.
    """

    mean: Array
    deviation: Array
    components: Array
    variances: Array

    @classmethod
    def fit(cls, normal: Sequence[Array]) -> PrincipalComponents:
        """Take the plane from normal frames (T, D) of each recording."""
        mean, deviation = spread_of(normal)
        rows = np.concatenate([(np.asarray(x, np.float64) - mean) / deviation for x in normal])
        values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
        values, vectors = values[::-1], vectors[:, ::-1]
        total = float(values.sum())
        kept = 1
        while kept < len(values) and values[:kept].sum() < EXPLAINED * total:
            kept += 1
        # Where nothing varied there is no variance to have a share of; one channel that does has 1.
        least = SMALLEST_SHARE * max(total, 1.0)
        return cls(mean, deviation, vectors[:, :kept].copy(), np.maximum(values[:kept], least))

    @classmethod
    def restore(cls, arrays: Mapping[str, Array]) -> PrincipalComponents:
        """Return what `arrays` was taken from."""
        names = ("mean", "deviation", "components", "variances")
        return cls(*(arrays[name] for name in names))

    def residuals(self, frames: Array) -> Array:
        """Return the roots of T2 and of Q, float64 (T, 2); (T, 1) where all is in the plane.

        A detector sums their squares, each in units of its normal mean, which makes of the two
        statistics the one index.

        Source: Yue and Qin, "Reconstruction-based fault identification using a combined index"
            (2001), equation 9, there in units of their control limits.
        """
        rows = (np.asarray(frames, np.float64) - self.mean) / self.deviation
        scores = rows @ self.components
        parts = [np.sqrt((np.square(scores) / self.variances).sum(axis=1))]
        if self.components.shape[1] < rows.shape[1]:
            parts.append(np.linalg.norm(rows - scores @ self.components.T, axis=1))
        return np.stack(parts, axis=1)

    def arrays(self) -> dict[str, Array]:
        """Return mean, deviation, components and variances."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "components": self.components,
            "variances": self.variances,
        }


BASELINE = BaselineKind(
    "pca t2+q",
    "T2 and Q of principal components",
    PrincipalComponents.fit,
    PrincipalComponents.restore,
)
