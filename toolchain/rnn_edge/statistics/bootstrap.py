"""Intervals by drawing again from what was measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_edge.types import Array


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
