"""Intervals and curves that several metrics need."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rnn_edge.types import Array

Z_95 = 1.959963984540054


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a share.

    Args:
        successes: 0..trials.
        trials: With none, the interval is 0..1.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if trials == 0:
        return 0.0, 1.0
    p, z2 = successes / trials, Z_95**2
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z_95 / (1 + z2 / trials) * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def average_precision(scores: Array, positive: Array) -> float:
    """Return the area under the precision-recall curve, as a step function.

    Args:
        scores: float (N,), higher is more likely positive.
        positive: bool (N,).

    Returns:
        0..1, or NaN without positives.

    Source: AP = sum over thresholds of (recall step) x precision; equal scores share a threshold.
    """
    if not positive.any():
        return math.nan
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(positive[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    precision = hits[last] / (last + 1)
    recall = hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def bootstrap_interval(
    groups: int, statistic: Callable[[Array], float], rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic over resampled groups.

    Args:
        groups: Number of independent groups (recordings, speakers).
        statistic: Of the indices of a resample, int64 (groups,).
        rounds: Resamples.
        seed: Of the resampling.

    Source: Efron 1979; whole groups are drawn because samples of one recording are not
        independent.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    values = [statistic(generator.integers(0, groups, groups)) for _ in range(rounds)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
