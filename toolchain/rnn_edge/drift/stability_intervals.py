"""95 % intervals of a mean over a few independent lanes."""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.types import Array

_QUANTILES = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def t_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, to a thousandth.

    Args:
        freedom: Degrees of freedom, at least 1.

    Source: the tables of Student's distribution; beyond 30 degrees the expansion of Cornish and
        Fisher to the second order.
    """
    if freedom <= len(_QUANTILES):
        return _QUANTILES[freedom - 1]
    z = 1.959964
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return z + first + second


def mean_interval(values: Array) -> tuple[float, float, float]:
    """Return the mean of independent values and the ends of its 95 % interval.

    One value has no interval: both ends are the value.
    """
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return mean, mean, mean
    half = t_quantile(count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return mean, mean - half, mean + half
