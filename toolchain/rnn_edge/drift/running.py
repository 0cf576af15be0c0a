"""The error of one tensor over a stream, as running sums."""

from __future__ import annotations

import math

import numpy as np

from rnn_edge.drift.blocks import BlockSums
from rnn_edge.drift.trend import find_trend
from rnn_edge.statistics import pooled_mean, related_mean
from rnn_edge.types import Array
from rnn_edge.types.drift import CurvePoint, Estimate, TensorDrift

PER_DECADE = 8
"""Stretches of a curve per tenfold time."""
STRETCHES = 64
"""Equal stretches that trend and intervals are taken from."""

_EDGES = np.unique(np.rint(10.0 ** (np.arange(9 * PER_DECADE + 1) / PER_DECADE)).astype(np.int64))
"""Where the stretches of a curve end: 1, 2, 3, 4, 6, 7, 10, ... up to 10^9 steps."""
_LEVELS_PER_DECADE = 20
_LOWEST_DECADE, _DECADES = -9, 12
_LEVELS = _LEVELS_PER_DECADE * _DECADES


class RunningError:
    """Sums over a stream of what two engines differ by.

    Args:
        tensor: "y" or a state.
        units: Size of the tensor.
    """

    def __init__(self, tensor: str, units: int) -> None:
        self.tensor = tensor
        self._squares = np.zeros((len(_EDGES), units))
        self._counts = np.zeros(len(_EDGES), np.int64)
        self._histogram = np.zeros((len(_EDGES), _LEVELS), np.int64)
        self._maximum = 0.0
        self._power = 0.0
        self._steps = 0
        self._merged: list[tuple[int, Estimate]] = []
        self.blocks = BlockSums()

    def add(self, first: int, expected: Array, actual: Array) -> Array:
        """Add consecutive steps and return their mean square errors.

        Args:
            first: Index of the first of them, from 0.
            expected: float (T, H) of the reference, real units.
            actual: float (T, H) of the engine, real units.

        Returns:
            float64 (T,).
        """
        wanted = expected.astype(np.float64, copy=False)
        error = actual - wanted
        squares = np.square(error)
        per_step = squares.mean(axis=1)
        self._maximum = max(self._maximum, float(np.abs(error).max(initial=0.0)))
        self._power += float(np.square(wanted).sum())
        self._steps = max(self._steps, first + len(error))
        self.blocks.add(first, per_step)
        # Step t, counted from 1, belongs to the first stretch that ends at or after it.
        row_of = np.searchsorted(_EDGES, np.arange(first + 1, first + len(error) + 1))
        starts = np.flatnonzero(np.diff(row_of, prepend=-1))
        rows = row_of[starts]
        self._squares[rows] += np.add.reduceat(squares, starts, axis=0)
        self._counts[rows] += np.diff(np.append(starts, len(error)))
        np.add.at(self._histogram, (row_of, _levels(per_step)), 1)
        return np.asarray(per_step)

    def merge(self, other: RunningError) -> None:
        """Add the sums of another stream; both have steps."""
        self._merged = [*self._parts(), *other._parts()]
        self._steps = max(self._steps, other._steps)
        self._squares += other._squares
        self._counts += other._counts
        self._histogram += other._histogram
        self._maximum = max(self._maximum, other._maximum)
        self._power += other._power
        self.blocks.merge(other.blocks)

    def result(self) -> TensorDrift:
        """Return what was measured; at least one step must have been added."""
        steps = int(self._counts.sum())
        units = self._squares.shape[1]
        used = np.flatnonzero(self._counts)
        mean_square = float(self._squares.sum()) / (steps * units)
        per_unit = self._squares[used] / self._counts[used, None]
        size = math.sqrt(self._power / (steps * units))
        means, ends = self.blocks.means(STRETCHES)
        return TensorDrift(
            tensor=self.tensor,
            rms=root_estimate(mean_square, pooled_mean(self._parts())),
            maximum=self._maximum,
            relative=math.sqrt(mean_square) / size if size > 0.0 else 0.0,
            trend=find_trend(means, ends),
            curve=tuple(self._point(int(row), units) for row in used),
            unit_rms=tuple(float(v) for v in np.sqrt(self._squares.sum(axis=0) / steps)),
            heat=tuple(tuple(float(v) for v in row) for row in np.sqrt(per_unit)),
        )

    def _parts(self) -> list[tuple[int, Estimate]]:
        """Return steps and mean square error of each stream."""
        means, _ = self.blocks.means(STRETCHES)
        return self._merged or [(self._steps, related_mean(means))]

    def _point(self, row: int, units: int) -> CurvePoint:
        # Of the last stretch only what was replayed.
        end = min(int(_EDGES[row]), self._steps)
        rms = math.sqrt(float(self._squares[row].sum()) / (int(self._counts[row]) * units))
        cumulated = np.cumsum(self._histogram[row])
        low, high = (
            float(_level_values()[np.searchsorted(cumulated, share * cumulated[-1])])
            for share in (0.05, 0.95)
        )
        return CurvePoint(end, rms, low, high)


def root_estimate(mean_square: float, spread: Estimate) -> Estimate:
    """Return a root mean square and its interval.

    Args:
        mean_square: Over all steps.
        spread: How well it is known, about a value that may leave out the end of a stream.
    """
    low, high = (max(0.0, mean_square + end - spread.value) for end in (spread.low, spread.high))
    return Estimate(math.sqrt(mean_square), math.sqrt(low), math.sqrt(high))


def _levels(mean_squares: Array) -> Array:
    """Return the level of each rms, int64; the lowest one holds all that is smaller."""
    with np.errstate(divide="ignore"):
        decades = 0.5 * np.log10(mean_squares) - _LOWEST_DECADE
    scaled = np.clip(decades * _LEVELS_PER_DECADE, 0, _LEVELS - 1)
    return np.asarray(scaled.astype(np.int64))


def _level_values() -> Array:
    """Return the middle of each level; 0 for the lowest."""
    middle = 10.0 ** ((np.arange(_LEVELS) + 0.5) / _LEVELS_PER_DECADE + _LOWEST_DECADE)
    middle[0] = 0.0
    return np.asarray(middle)
