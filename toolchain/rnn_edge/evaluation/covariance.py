"""Residuals whose relations are taken out: what is usual together is not counted twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.types import Array

LEAST_SHRINKAGE = 0.01
"""Residuals that are copies of each other would otherwise be divided by what differs between
copies, which is noise; with this a direction is enlarged ten times at most."""


@dataclass(frozen=True, eq=False)
class Whitening:
    """A matrix that makes residuals uncorrelated and of size 1.

    Attributes:
        matrix: float64 (R, R), lower triangular: the inverse of the Cholesky factor of the
            covariance.
        shrinkage: Share of the diagonal in that covariance, `LEAST_SHRINKAGE`..1.
    """

    matrix: Array
    shrinkage: float

    @classmethod
    def fit(cls, residuals: Array, variance: Array, share: float | None = None) -> Whitening:
        """Take it from normal residuals.

        Their mean is not taken away: it is an error of the model like any other, and the mean
        squares that a score by variances divides by hold it too.

        Args:
            residuals: float64 (T, R); without any, nothing is known to be related.
            variance: float64 (R,), above 0, the mean squares.
            share: Of the diagonal, `LEAST_SHRINKAGE`..1; None estimates it.

        Source: Schaefer and Strimmer, "A shrinkage approach to large-scale covariance matrix
            estimation and implications for functional genomics" (2005), target D, here of
            second moments: correlations are shrunk by the sum of the variances of their estimates
            over the sum of their squares.
        """
        size = np.sqrt(variance)
        scaled = residuals / size
        correlation = scaled.T @ scaled / max(1, len(scaled))
        share = _shrinkage(scaled, correlation) if share is None else share
        shrunk = (1.0 - share) * correlation
        np.fill_diagonal(shrunk, 1.0)
        factor = np.linalg.cholesky(shrunk)
        inverse = np.linalg.solve(factor, np.eye(len(factor)))
        return cls(np.tril(inverse) / size, share)


def _shrinkage(scaled: Array, correlation: Array) -> float:
    count = len(scaled)
    others = ~np.eye(len(correlation), dtype=bool)
    power = float(np.square(correlation[others]).sum())
    if count < 2 or power == 0.0:
        return 1.0
    squares = np.square(scaled)
    spread = (squares.T @ squares / count - np.square(correlation)) / (count - 1)
    wanted = float(spread[others].sum()) / power
    return min(1.0, max(LEAST_SHRINKAGE, wanted))
