"""Does an error grow with the time since the last reset, or has it come to a plateau?

The stream is cut into equal stretches; ln(rms) of each is regressed on ln(time) by least squares.
A bounded error has slope 0, a random walk 0.5, an offset that adds up 1. Neighbouring stretches
hold related material and related errors, so that the interval of the slope takes the covariance
of the residuals into account.

Source:
    The verdict is an equivalence test in the sense of Schuirmann (1987); for the covariance see
    `rnn_edge.statistics.means`.
"""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.statistics import long_run_covariance, student_quantile
from rnn_edge.types import Array
from rnn_edge.types.drift import Estimate, Trend, TrendVerdict

LIMIT = 0.1
"""Largest slope that is called a plateau: at most 26 % more error in ten times the time."""

FEWEST_BLOCKS = 8
"""With fewer stretches nothing is decided."""


def find_trend(mean_squares: Array, ends: Array, limit: float = LIMIT) -> Trend:
    """Fit the growth of an error and judge it.

    Args:
        mean_squares: float64 (N,), mean square error of consecutive stretches.
        ends: int64 (N,), step at which each ends.
        limit: Largest slope that is called a plateau.
    """
    used = mean_squares > 0.0
    count = int(used.sum())
    if not count and len(mean_squares):
        # No error at all does not grow.
        return Trend(TrendVerdict.PLATEAU, Estimate(0.0, 0.0, 0.0), limit, len(mean_squares))
    if count < FEWEST_BLOCKS:
        return Trend(TrendVerdict.UNDECIDED, Estimate(0.0, -1.0, 1.0), limit, count)
    starts = np.concatenate([[0], ends[:-1]])
    x = np.log((starts + ends)[used] / 2.0)
    y = 0.5 * np.log(mean_squares[used])
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
