"""How often a score rises to a level that it has not been seen at: peaks over a threshold.

Source:
    Pickands, "Statistical inference using extreme order statistics" (1975): what stands out above
    a high level follows a generalised Pareto distribution. Coles, "An introduction to statistical
    modeling of extreme values" (2001), chapters 4 and 5: return levels, and that neighbouring
    exceedances are one peak (declustering by runs).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.types import Array

DAY_S = 86_400.0
FEWEST_PEAKS = 10
"""Fewer say nothing of the form of their distribution."""
SHAPES = (-0.5, 1.0)
"""Of a fit: at the lower end likelihood is no longer a guide, beyond the upper a mean is none."""
ENDLESS = (0.0, SHAPES[1])
FEWEST_FOR_AN_END = 100
"""Peaks from which on a tail may have a shape below 0, and so an end. That of a few dozen lies just
beyond the highest of them, and the next hour with another load goes past it again and again."""
_SMALL = 1e-9
_ROUNDS, _POINTS = 12, 33


@dataclass(frozen=True)
class PeakTail:
    """The distribution of the peaks of a score.

    Attributes:
        level: Peaks are what stands out above it.
        shape: Of the generalised Pareto distribution; below 0 there is a greatest peak.
        scale: In units of the score.
        peaks: That it was fitted to.
        seconds: Of the signal that they were found in.
    """

    level: float
    shape: float
    scale: float
    peaks: int
    seconds: float

    @classmethod
    def fit(
        cls, scores: Sequence[Array], quantile: float, apart: int, frame_rate_hz: float
    ) -> PeakTail:
        """Take it from the scores of normal operation.

        Args:
            scores: float64 (T,) of each recording.
            quantile: Of all scores; peaks stand out above it.
            apart: Exceedances with fewer frames than these between them are of one peak.
            frame_rate_hz: Frames per second.

        Raises:
            DataError: If there are too few peaks.
        """
        level = float(np.quantile(np.concatenate(scores), quantile))
        peaks = np.concatenate([cluster_peaks(each, level, apart) for each in scores])
        if len(peaks) < FEWEST_PEAKS:
            raise DataError(
                f"Detector: {len(peaks)} peaks above the {quantile:g} quantile of the scores of "
                f"validation recordings; expected at least {FEWEST_PEAKS}.",
                "lower detector.peak_quantile or detector.cluster_frames, or give validation more "
                "data",
            )
        shapes = SHAPES if len(peaks) >= FEWEST_FOR_AN_END else ENDLESS
        shape, scale = fit_pareto(peaks - level, shapes)
        seconds = sum(len(each) for each in scores) / frame_rate_hz
        return cls(level, shape, scale, len(peaks), seconds)

    @property
    def days(self) -> float:
        """Of the signal that the peaks were found in."""
        return self.seconds / DAY_S

    def height(self, peaks_per_day: float) -> float:
        """Return the height that so many peaks a day exceed, never below the level.

        Source: Coles 2001, equation 4.12.
        """
        ratio = self.peaks / self.days / peaks_per_day
        if ratio <= 1.0:
            return self.level
        if abs(self.shape) < _SMALL:
            return self.level + self.scale * math.log(ratio)
        return self.level + self.scale * math.expm1(self.shape * math.log(ratio)) / self.shape

    def peaks_per_day(self, height: float) -> float:
        """Return how many peaks a day exceed a height at or above the level."""
        excess = (height - self.level) / self.scale
        if abs(self.shape) < _SMALL:
            return self.peaks / self.days * math.exp(-excess)
        inside = 1.0 + self.shape * excess
        return self.peaks / self.days * inside ** (-1.0 / self.shape) if inside > 0.0 else 0.0


def cluster_peaks(scores: Array, level: float, apart: int) -> Array:
    """Return the highest score of every cluster of exceedances, float64 (N,).

    Args:
        scores: float64 (T,).
        level: An exceedance is above it.
        apart: Exceedances with fewer frames than these between them are of one cluster.
    """
    above = np.flatnonzero(scores > level)
    if not len(above):
        return np.zeros(0)
    starts = np.flatnonzero(np.diff(above, prepend=above[0] - apart - 1) > apart)
    return np.asarray(np.maximum.reduceat(scores[above], starts))


def lasting(scores: Array, frames: int) -> Array:
    """Return the level that a score has kept above for so many frames on end, float64 (T,).

    An alarm that begins with as many frames above its threshold begins where this is above it.
    The first frames, before which there are not enough, have -inf.
    """
    found = np.full(len(scores), -np.inf)
    if frames <= len(scores):
        found[frames - 1 :] = np.lib.stride_tricks.sliding_window_view(scores, frames).min(axis=1)
    return found


def fit_pareto(excesses: Array, shapes: tuple[float, float] = SHAPES) -> tuple[float, float]:
    """Return shape and scale of the generalised Pareto distribution that fits best.

    The likelihood, with ``theta = shape / scale``, has its greatest value over the scale at
    ``shape = mean(log(1 + theta x))``, so that one number is searched: on a grid, and on finer
    ones about its best point.

    Args:
        excesses: float64 (N,), N > 0, above 0.
        shapes: Least and greatest that it may have.

    Source: Davison, "Modelling excesses over high thresholds, with an application" (1984);
        Grimshaw, "Computing maximum likelihood estimates for the generalized Pareto
        distribution" (1993).
    """
    mean = float(excesses.mean())
    x = excesses / mean
    low, high = (_theta_of(x, shape) for shape in shapes)
    for _ in range(_ROUNDS):
        grid = np.linspace(low, high, _POINTS)
        likelihoods = [_likelihood(x, theta) for theta in grid]
        best = int(np.argmax(likelihoods))
        low, high = grid[max(0, best - 1)], grid[min(_POINTS - 1, best + 1)]
    theta = float(grid[best])
    shape = _shape(x, theta)
    scale = 1.0 if abs(theta) < _SMALL else shape / theta
    return shape, scale * mean


def _shape(x: Array, theta: float) -> float:
    return float(np.log1p(theta * x).mean())


def _likelihood(x: Array, theta: float) -> float:
    """Return the greatest mean log-likelihood of excesses of mean 1 at a theta."""
    if abs(theta) < _SMALL:
        return -1.0
    shape = _shape(x, theta)
    return -math.log(shape / theta) - shape - 1.0


def _theta_of(x: Array, shape: float) -> float:
    """Return the theta that a shape belongs to; the shape rises with it."""
    low, high = (-(1.0 - _SMALL) / float(x.max()), 0.0) if shape < 0.0 else (0.0, 1.0)
    while shape > 0.0 and _shape(x, high) < shape:
        high *= 2.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        if _shape(x, middle) < shape:
            low = middle
        else:
            high = middle
    return high
