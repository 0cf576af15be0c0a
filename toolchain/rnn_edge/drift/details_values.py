"""Sums and counts of the details of a step, in constant memory, to be merged."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnn_edge.fixedpoint import INT16_MAX, INT16_MIN
from rnn_edge.types import Array

BINS = 64


@dataclass
class ErrorSums:
    """Errors of one tensor.

    Attributes:
        squares: Sum of squared errors by unit, float64 (size,).
        maximum: Largest error by unit, float64 (size,).
        count: Steps.
    """

    squares: Array
    maximum: Array
    count: int = 0

    @classmethod
    def empty(cls, size: int) -> ErrorSums:
        """Return sums over nothing."""
        return cls(np.zeros(size), np.zeros(size))

    def add(self, errors: Array) -> None:
        """Take in errors (N, size) in real units."""
        self.squares += np.square(errors).sum(axis=0)
        self.maximum = np.maximum(self.maximum, np.abs(errors).max(axis=0, initial=0.0))
        self.count += len(errors)

    def merge(self, other: ErrorSums) -> None:
        """Take in what another one saw."""
        self.squares += other.squares
        self.maximum = np.maximum(self.maximum, other.maximum)
        self.count += other.count


@dataclass
class EndCounts:
    """How often a tensor was at an end of int16, by unit."""

    at_end: Array
    count: int = 0

    @classmethod
    def empty(cls, size: int) -> EndCounts:
        """Return counts over nothing."""
        return cls(np.zeros(size, np.int64))

    def add(self, values: Array) -> None:
        """Take in int16 (N, size)."""
        self.at_end += ((values == INT16_MIN) | (values == INT16_MAX)).sum(axis=0)
        self.count += len(values)

    def merge(self, other: EndCounts) -> None:
        """Take in what another one saw."""
        self.at_end += other.at_end
        self.count += other.count


@dataclass
class DeadCounts:
    """How often the integer update of a state was nothing, by unit.

    Attributes:
        lost: The real update was not zero.
        lost_half: The real update was half a unit of the last place or more.
        moved: The integer state changed.
        count: Steps.
    """

    lost: Array
    lost_half: Array
    moved: Array
    count: int = 0

    @classmethod
    def empty(cls, size: int) -> DeadCounts:
        """Return counts over nothing."""
        zeros = np.zeros(size, np.int64)
        return cls(zeros, zeros.copy(), zeros.copy())

    def add(self, before: Array, after: Array, update: Array, unit: float) -> None:
        """Take in steps.

        Args:
            before: int16 (N, H).
            after: int16 (N, H).
            update: float64 (N, H), what the real step adds to the same state.
            unit: Unit of the last place of the state.
        """
        still = before == after
        self.lost += (still & (update != 0.0)).sum(axis=0)
        self.lost_half += (still & (np.abs(update) >= 0.5 * unit)).sum(axis=0)
        self.moved += (~still).sum(axis=0)
        self.count += len(before)

    def merge(self, other: DeadCounts) -> None:
        """Take in what another one saw."""
        self.lost += other.lost
        self.lost_half += other.lost_half
        self.moved += other.moved
        self.count += other.count


@dataclass
class Histogram:
    """Counts of values in equal bins; what lies outside is counted in the bin at that end.

    Attributes:
        low: Lower edge of the first bin.
        high: Upper edge of the last bin.
        real: Counts of the float values, int64 (64,).
        integer: Counts of the integer values in real units, int64 (64,).
    """

    low: float
    high: float
    real: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))
    integer: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def add(self, real: Array, integer: Array) -> None:
        """Take in values in real units, of any shape."""
        self.real += self._counts(real)
        self.integer += self._counts(integer)

    def merge(self, other: Histogram) -> None:
        """Take in what another one saw."""
        self.real += other.real
        self.integer += other.integer

    def _counts(self, values: Array) -> Array:
        width = (self.high - self.low) / BINS
        bins = np.clip(np.floor((values - self.low) / width), 0, BINS - 1).astype(np.int64)
        return np.bincount(bins.ravel(), minlength=BINS)
