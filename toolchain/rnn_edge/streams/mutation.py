"""Windows made of other windows: what the search for the worst one tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_edge.streams.grid import on_grid
from rnn_edge.types import Array

MOST_CHANGES = 3
"""Of one window at once."""

SCALE_DEVIATION = 0.7
"""Of the logarithm of a factor: two of three are between 1/2 and 2."""


@dataclass(frozen=True, eq=False)
class Material:
    """What windows are made of.

    Attributes:
        frames: float32 (T, D), recordings one after the other.
        low: float32 (D,), the lowest value of each feature that was seen.
        high: float32 (D,), the highest.
        mean: float64 (D,).
        window: Frames L of a window, at most T.
    """

    frames: Array
    low: Array
    high: Array
    mean: Array
    window: int

    @classmethod
    def of(cls, frames: Array, window: int) -> Material:
        """Measure the ranges of frames (T, D)."""
        mean = frames.mean(axis=0, dtype=np.float64)
        return cls(frames, frames.min(axis=0), frames.max(axis=0), mean, window)

    def recorded(self, count: int, generator: np.random.Generator) -> Array:
        """Return windows of the recordings, float32 (count, L, D)."""
        starts = generator.integers(len(self.frames) - self.window + 1, size=count)
        return np.asarray(self.frames[starts[:, None] + np.arange(self.window)])

    def offspring(self, best: Array, generator: np.random.Generator) -> Array:
        """Return an altered copy of one of the best windows (N, L, D), float32 (L, D)."""
        window = np.array(best[generator.integers(len(best))])
        for _ in range(int(generator.integers(1, MOST_CHANGES + 1))):
            change = _CHANGES[int(generator.integers(len(_CHANGES)))]
            window = change(self, window, best, generator)
        return window


def _span(window: Array, generator: np.random.Generator) -> slice:
    """Return a part of a window; short ones are as frequent as long ones."""
    length = int(np.exp(generator.uniform(0.0, np.log(len(window) + 0.999))))
    start = int(generator.integers(len(window) - length + 1))
    return slice(start, start + length)


def _splice(
    material: Material, window: Array, best: Array, generator: np.random.Generator
) -> Array:
    """Put recorded frames into a part."""
    part = _span(window, generator)
    length = part.stop - part.start
    start = int(generator.integers(len(material.frames) - length + 1))
    window[part] = material.frames[start : start + length]
    return window


def _cross(material: Material, window: Array, best: Array, generator: np.random.Generator) -> Array:
    """Take a part over from another of the best."""
    part = _span(window, generator)
    window[part] = best[generator.integers(len(best)), part]
    return window


def _hold(material: Material, window: Array, best: Array, generator: np.random.Generator) -> Array:
    """Hold one frame throughout a part."""
    part = _span(window, generator)
    window[part] = window[int(generator.integers(len(window)))]
    return window


def _scale(material: Material, window: Array, best: Array, generator: np.random.Generator) -> Array:
    """Stretch a part away from the mean or towards it, within what was seen of each feature."""
    part = _span(window, generator)
    factor = float(np.exp(generator.normal(0.0, SCALE_DEVIATION)))
    scaled = on_grid(material.mean + factor * (window[part] - material.mean))
    window[part] = np.clip(scaled, material.low, material.high)
    return window


def _shift(material: Material, window: Array, best: Array, generator: np.random.Generator) -> Array:
    """Begin elsewhere; what falls off the end comes first."""
    return np.roll(window, int(generator.integers(len(window))), axis=0)


_Change = Callable[[Material, Array, Array, np.random.Generator], Array]
_CHANGES: tuple[_Change, ...] = (_splice, _cross, _hold, _scale, _shift)
