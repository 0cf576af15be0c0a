"""How well a mean is known, of independent values and of values that follow one another.

Source:
    Newey and West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation
    consistent covariance matrix" (1987), with Bartlett weights and the lag 4*(n/100)^(2/9) of
    their 1994 paper; Andrews and Monahan, "An improved heteroskedasticity and autocorrelation
    consistent covariance matrix estimator" (1992), for values that are strongly related: what an
    autoregression explains is taken out before, and put back in afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rnn_edge.statistics.student import student_quantile
from rnn_edge.types import Array
from rnn_edge.types.drift import Estimate

SIGNIFICANT_RELATION = 2.0
"""Of sqrt(N) times the correlation of neighbours: below it there may be none."""

MOST_RELATION = 0.97
"""More cannot be told apart from values that go anywhere."""


def independent_mean(values: Array, worth: float | None = None) -> Estimate:
    """Return the mean of independent values and its 95 % interval.

    Args:
        values: float64 (N,), at least one; one value has no interval: both ends are the value.
        worth: How many independent values they are worth, at least 1 and at most N; None for N.
    """
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Estimate(mean, mean, mean)
    worth = float(count) if worth is None else worth
    freedom = max(1, int(worth) - 1)
    half = student_quantile(freedom) * float(np.std(values, ddof=1)) / math.sqrt(worth)
    return Estimate(mean, mean - half, mean + half)


def related_mean(values: Array) -> Estimate:
    """Return the mean of related values and its 95 % interval.

    Args:
        values: float64 (N,), in the order of time; with fewer than 3 the interval is as wide as
            the values and nothing is known about it.
    """
    mean = float(values.mean())
    if len(values) < 3:
        return Estimate(mean, float(values.min()), float(values.max()))
    variance = _long_run_variance(values - mean)
    half = student_quantile(len(values) - 1) * math.sqrt(max(0.0, variance) / len(values))
    return Estimate(mean, mean - half, mean + half)


def pooled_mean(parts: Sequence[tuple[int, Estimate]]) -> Estimate:
    """Return the mean over independent parts and its 95 % interval.

    Args:
        parts: How many values each part has, and their mean; at least one part with a value.
    """
    total = sum(count for count, _ in parts)
    mean = sum(count * part.value for count, part in parts) / total
    below = math.hypot(*(count * (part.value - part.low) for count, part in parts)) / total
    above = math.hypot(*(count * (part.high - part.value) for count, part in parts)) / total
    return Estimate(mean, mean - below, mean + above)


def _long_run_variance(centred: Array) -> float:
    """Return the variance of a sum of related values of mean zero, divided by their number."""
    earlier, later = centred[:-1], centred[1:]
    power = float(earlier @ earlier)
    relation = min(float(earlier @ later) / power, MOST_RELATION) if power > 0.0 else 0.0
    if relation * math.sqrt(len(centred)) <= SIGNIFICANT_RELATION:
        return float(long_run_covariance(centred[:, None])[0, 0])
    rest = later - relation * earlier
    return float(long_run_covariance(rest[:, None])[0, 0]) / (1.0 - relation) ** 2


def long_run_covariance(scores: Array) -> Array:
    """Return the covariance of a sum of related rows, divided by their number: (P, P).

    Args:
        scores: float64 (N, P), of mean zero.
    """
    count = len(scores)
    total = scores.T @ scores
    lags = min(count - 1, int(4.0 * (count / 100.0) ** (2.0 / 9.0)))
    for lag in range(1, lags + 1):
        shifted = scores[lag:].T @ scores[:-lag]
        total = total + (1.0 - lag / (lags + 1.0)) * (shifted + shifted.T)
    return np.asarray(total / count)
