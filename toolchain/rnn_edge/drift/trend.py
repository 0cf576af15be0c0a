"""Does an error grow with the time since the last reset, or has it come to a plateau?

The stream is cut into equal stretches; ln(rms) of each is regressed on ln(time) by least squares.
A bounded error has slope 0, a random walk 0.5, an offset that adds up 1. Neighbouring stretches
hold related material and related errors, so that the interval of the slope takes the covariance
of the residuals into account.

Source:
    Newey and West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation
    consistent covariance matrix" (1987), with Bartlett weights and the lag 4*(n/100)^(2/9) of
    their 1994 paper; the verdict is an equivalence test in the sense of Schuirmann (1987).
"""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.types import Array
from rnn_edge.types.drift import Estimate, Trend, TrendVerdict

LIMIT = 0.1
"""Largest slope that is called a plateau: at most 26 % more error in ten times the time."""

FEWEST_BLOCKS = 8
"""With fewer stretches nothing is decided."""

_Z = 1.959963984540054


def student_quantile(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t with at least 2 degrees of freedom, within 1 %.

    Source: Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5.
    """
    z, v = _Z, float(freedom)
    terms = (
        (z**3 + z) / 4.0,
        (5.0 * z**5 + 16.0 * z**3 + 3.0 * z) / 96.0,
        (3.0 * z**7 + 19.0 * z**5 + 17.0 * z**3 - 15.0 * z) / 384.0,
        (79.0 * z**9 + 776.0 * z**7 + 1482.0 * z**5 - 1920.0 * z**3 - 945.0 * z) / 92160.0,
    )
    return z + sum(term / v**k for k, term in enumerate(terms, start=1))


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


def mean_interval(values: Array) -> Estimate:
    """Return the mean of related values and its 95 % interval.

    Args:
        values: float64 (N,), in the order of time; with fewer than 3 the interval is as wide as
            the values and nothing is known about it.
    """
    mean = float(values.mean())
    if len(values) < 3:
        return Estimate(mean, float(values.min()), float(values.max()))
    variance = float(long_run_covariance((values - mean)[:, None])[0, 0])
    half = student_quantile(len(values) - 1) * math.sqrt(max(0.0, variance) / len(values))
    return Estimate(mean, mean - half, mean + half)


def find_trend(mean_squares: Array, ends: Array, limit: float = LIMIT) -> Trend:
    """Fit the growth of an error and judge it.

    Args:
        mean_squares: float64 (N,), mean square error of consecutive stretches.
        ends: int64 (N,), step at which each ends.
        limit: Largest slope that is called a plateau.
    """
    used = mean_squares > 0.0
    count = int(used.sum())
    if not count:
        # No error at all does not grow.
        return Trend(TrendVerdict.PLATEAU, Estimate(0.0, 0.0, 0.0), limit, len(mean_squares))
    starts = np.concatenate([[0], ends[:-1]])
    x = np.log((starts + ends)[used] / 2.0)
    y = 0.5 * np.log(mean_squares[used])
    if count < FEWEST_BLOCKS:
        return Trend(TrendVerdict.UNDECIDED, Estimate(0.0, -1.0, 1.0), limit, count)
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ y) / spread
    residual = y - y.mean() - slope * centred
    variance = float(long_run_covariance((centred * residual)[:, None])[0, 0]) * count / spread**2
    half = student_quantile(count - 2) * math.sqrt(max(0.0, variance))
    estimate = Estimate(slope, slope - half, slope + half)
    return Trend(_verdict(estimate, limit), estimate, limit, count)


def _verdict(slope: Estimate, limit: float) -> TrendVerdict:
    if slope.high <= limit:
        return TrendVerdict.PLATEAU
    if slope.low > 0.0 and slope.value > limit:
        return TrendVerdict.GROWTH
    return TrendVerdict.UNDECIDED
