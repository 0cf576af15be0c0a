"""Distances between two distributions, and how likely they are by chance."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

MINOR_PSI, MAJOR_PSI = 0.1, 0.25
"""The usual reading: below 0.1 no change to speak of, from 0.25 on a major one.

Source: Siddiqi 2006, "Credit Risk Scorecards"; a convention, not a test."""

_TERMS = 100


def psi(expected: Array, actual: Array, frames: float) -> float:
    """Return the population stability index of two histograms.

    Each share p becomes (p + e) / (1 + e B) with e = 1 / (2 N): half an independent frame is added
    to every one of the B bins on both sides, so that an empty bin has a logarithm, and a bin that
    is empty on both sides adds nothing.

    Args:
        expected: float (B,), shares of the calibration; they add up to 1.
        actual: float (B,), shares of what is compared with it.
        frames: N, independent frames that the comparison rests on; see `joint_frames`.

    Source: PSI = sum of (actual - expected) ln(actual / expected), the symmetric divergence of
    Jeffreys 1946, as credit scoring uses it (Siddiqi 2006).
    """
    extra = 0.5 / frames
    p, q = ((share + extra) / (1.0 + extra * len(share)) for share in (actual, expected))
    return float(np.sum((p - q) * np.log(p / q)))


def psi_by_chance(bins: int, frames: float) -> float:
    """Return about what the index is on average without any drift.

    Source: Yurdakul & Naranjo 2020, "Statistical properties of the population stability index":
    N x PSI is asymptotically chi-squared with B - 1 degrees of freedom.
    """
    return (bins - 1) / frames


def joint_frames(first: Array, second: Array) -> Array:
    """Return the size of one sample that says as much as two together: n m / (n + m)."""
    return np.asarray(first * second / (first + second))


def kolmogorov_p(distance: Array, frames: Array) -> Array:
    """Return the probability of a Kolmogorov-Smirnov distance at least as large by chance.

    Args:
        distance: float (D,), largest differences between two distribution functions, 0..1.
        frames: float (D,), see `joint_frames`.

    Source: Kolmogorov's distribution, Q(l) = 2 sum over j of (-1)^(j-1) exp(-2 j^2 l^2), with the
    correction for small samples of Stephens 1970, l = (sqrt(N) + 0.12 + 0.11 / sqrt(N)) D.
    """
    root = np.sqrt(frames)
    scaled = (root + 0.12 + 0.11 / root) * distance
    j = np.arange(1, _TERMS + 1)[:, None]
    terms = np.where(j % 2, 2.0, -2.0) * np.exp(-2.0 * j**2 * scaled**2)
    # The series converges slowly below 0.2, where the probability is 1 to twelve digits.
    return np.asarray(np.where(scaled < 0.2, 1.0, np.clip(terms.sum(axis=0), 0.0, 1.0)))


def holm(p: Array) -> Array:
    """Return probabilities adjusted for the number of tests, in any dependence among them.

    Args:
        p: float (D,), one for each test.

    Returns:
        float (D,): rejecting below a level keeps the chance of any false rejection below it.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    order = np.argsort(p, kind="stable")
    stepped = p[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted
