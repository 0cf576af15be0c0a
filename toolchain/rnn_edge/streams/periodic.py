"""Features that jump or swing, each with a period of its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from rnn_edge.streams.grid import on_grid, percentiles
from rnn_edge.streams.pieces import Piece, PieceStream
from rnn_edge.types import Array

LOW_PERCENT, HIGH_PERCENT = 1.0, 99.0
"""Percentiles of a feature between which it moves: outliers are left to other streams."""


def log_periods(shortest: int, longest: int, count: int) -> Array:
    """Return whole periods in frames, int64, evenly spaced on a logarithmic scale, all different.

    There are fewer than ``count`` where there are not so many whole ones.
    """
    return np.unique(np.rint(np.geomspace(shortest, longest, count)).astype(np.int64))


class PeriodicFrames(PieceStream):
    """In each stretch of the longest period every feature has one of the periods.

    From stretch to stretch a feature goes on to the next longer one, and from the longest to the
    shortest, so that each meets them all; at any time they are spread over the features.

    Args:
        name: What reports call it.
        frames: (T, D), what the range of each feature is taken from.
        steps: Frames in all.
        periods: In frames, from `log_periods`.
        seed: Of phases and levels.
    """

    way = ""
    """What a feature does, in words."""

    def __init__(self, name: str, frames: Array, steps: int, periods: Array, seed: int) -> None:
        self._low, self._high = percentiles(frames, LOW_PERCENT, HIGH_PERCENT)
        self._periods, self._seed = periods, seed
        description = (
            f"every feature {self.way} between the {LOW_PERCENT:g}st and {HIGH_PERCENT:g}th "
            f"percentile of {len(frames):,} frames, with {len(periods)} periods from "
            f"{periods[0]:,} to {periods[-1]:,} frames"
        )
        super().__init__(name, description, frames.shape[1], steps)

    def _pieces(self) -> Iterator[Piece]:
        generator = np.random.Generator(np.random.PCG64(self._seed))
        stretch, number = int(self._periods[-1]), 0
        # Spread over all of them also where there are fewer features than periods.
        first = np.arange(self.inputs) * len(self._periods) // self.inputs
        while True:
            periods = self._periods[(first + number) % len(self._periods)]
            height = np.stack(
                [self._height(int(period), stretch, generator) for period in periods], axis=1
            )
            yield Piece(on_grid(self._low + height * (self._high - self._low)), number == 0)
            number += 1

    @abstractmethod
    def _height(self, period: int, frames: int, generator: np.random.Generator) -> Array:
        """Return where a feature is between its low (0) and its high (1), float64 (frames,)."""


class SineFrames(PeriodicFrames):
    """Every feature runs a sine; its phase is drawn."""

    way = "swings"

    def _height(self, period: int, frames: int, generator: np.random.Generator) -> Array:
        # A phase in whole frames: the crest is met, also by a period of two frames.
        t = np.arange(frames) + int(generator.integers(period))
        return np.asarray(0.5 + 0.5 * np.cos(2.0 * np.pi * (t % period) / period))


class StepFrames(PeriodicFrames):
    """Every feature jumps between levels; the next one is drawn.

    Args:
        name: What reports call it.
        frames: (T, D), what the range of each feature is taken from.
        steps: Frames in all.
        periods: In frames, from `log_periods`.
        seed: Of phases and levels.
        levels: Evenly spaced, both ends among them.
    """

    way = "jumps"

    def __init__(
        self, name: str, frames: Array, steps: int, periods: Array, seed: int, levels: int
    ) -> None:
        super().__init__(name, frames, steps, periods, seed)
        self._levels = levels
        self.description += f" and {levels} levels"

    def _height(self, period: int, frames: int, generator: np.random.Generator) -> Array:
        count = -(-frames // period)
        # Another one than before: a level held for two periods would be no step.
        jumps = generator.integers(1, self._levels, count)
        level = (int(generator.integers(self._levels)) + np.cumsum(jumps)) % self._levels
        return np.repeat(level / (self._levels - 1), period)[:frames]
