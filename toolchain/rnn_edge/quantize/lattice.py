"""Whole numbers near real ones, chosen together: the error of one makes up for that of others.

Minimises ``(q - w)' A (q - w)`` for whole q in -127..127, column by column, and then goes on
changing single entries while that lowers it. Finding the minimum is the closest vector problem, so
that this is an approximation; the result is never worse than rounding to nearest.

Source:
    Hassibi and Stork, "Second order derivatives for network pruning: optimal brain surgeon" (1993);
    Frantar, Ashkboos, Hoefler and Alistarh, "GPTQ" (2022), arXiv:2210.17323, section 3: the
    rounding error of a column, divided by its entry in the Cholesky factor of the inverse, is taken
    from the columns that are not rounded yet; columns of the largest diagonal first.
"""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

LARGEST = 127
SWEEPS = 6
"""Passes of single changes; on trained models the last changes come in the second to fifth."""


def objective(codes: Array, target: Array, moments: Array) -> Array:
    """Return ``(q - w)' A (q - w)`` of each row, float64 (U,)."""
    error = codes - target
    return np.asarray(np.einsum("uk,ukl,ul->u", error, moments, error, optimize=True))


def round_together(
    target: Array, moments: Array, damping: float, is_fixed: Array | None = None
) -> Array:
    """Round rows so that their errors cancel where it counts.

    Args:
        target: float64 (U, K), the rows in units of their steps, within +-127.
        moments: float64 (U, K, K), positive semidefinite, A in the same units.
        damping: Share of the diagonal that is added to it, above 0.
        is_fixed: bool (U, K), what is rounded to nearest whatever the others do.

    Returns:
        float64 (U, K), whole numbers in -127..127. Rows of whole numbers come back as they are.
    """
    diagonal = np.einsum("ukk->uk", moments)
    mean = diagonal.mean(axis=1, keepdims=True)
    # A column that never moves may be rounded in any way; the floor keeps the matrix invertible.
    added = damping * np.where(mean > 0.0, np.maximum(diagonal, 1e-4 * mean), 1.0)
    damped = 0.5 * (moments + moments.transpose(0, 2, 1)) + added[:, :, None] * np.eye(
        target.shape[1]
    )
    nearest = np.clip(np.rint(target), -LARGEST, LARGEST)
    fixed = np.zeros(target.shape, bool) if is_fixed is None else is_fixed
    start = _column_by_column(target, damped, fixed)
    is_better = objective(start, target, damped) < objective(nearest, target, damped)
    codes = np.where(is_better[:, None], start, nearest)
    return _changed_singly(codes, target, damped, fixed)


def _column_by_column(target: Array, moments: Array, is_fixed: Array) -> Array:
    rows = np.arange(len(target))[:, None, None]
    order = np.argsort(-np.einsum("ukk->uk", moments), axis=1, kind="stable")
    ordered = moments[rows, order[:, :, None], order[:, None, :]]
    # inverse = factor' factor with an upper triangular factor.
    factor = np.linalg.cholesky(np.linalg.inv(ordered)).transpose(0, 2, 1)
    left = np.take_along_axis(target, order, axis=1)
    first, alone = left.copy(), np.take_along_axis(is_fixed, order, axis=1)
    rounded = np.empty_like(left)
    for k in range(left.shape[1]):
        wanted = np.where(alone[:, k], first[:, k], left[:, k])
        rounded[:, k] = np.clip(np.rint(wanted), -LARGEST, LARGEST)
        error = (left[:, k] - rounded[:, k]) / factor[:, k, k]
        left[:, k + 1 :] -= error[:, None] * factor[:, k, k + 1 :]
    codes = np.empty_like(rounded)
    np.put_along_axis(codes, order, rounded, axis=1)
    return codes


def _changed_singly(codes: Array, target: Array, moments: Array, is_fixed: Array) -> Array:
    codes = codes.copy()
    diagonal = np.einsum("ukk->uk", moments)
    gradient = np.einsum("ukl,ul->uk", moments, codes - target, optimize=True)
    for _ in range(SWEEPS):
        has_changed = False
        for k in range(codes.shape[1]):
            wanted = codes[:, k] + np.rint(-gradient[:, k] / diagonal[:, k])
            change = np.clip(wanted, -LARGEST, LARGEST) - codes[:, k]
            change = np.where(is_fixed[:, k], 0.0, change)
            if change.any():
                codes[:, k] += change
                gradient += change[:, None] * moments[:, :, k]
                has_changed = True
        if not has_changed:
            break
    return codes
