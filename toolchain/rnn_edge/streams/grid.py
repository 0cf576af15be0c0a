"""The numbers that a frame can have: those of the model's int16 input."""

from __future__ import annotations

import numpy as np

from rnn_edge.features.normaliser import INPUT_EXPONENT
from rnn_edge.types import Array

LOWEST = -32768 * 2.0**INPUT_EXPONENT
HIGHEST = 32767 * 2.0**INPUT_EXPONENT
"""Ends of the range of an input, -8 and just below 8."""


def on_grid(values: Array) -> Array:
    """Return the nearest numbers that an input can have, float32, as a front end gives them."""
    steps = np.rint(np.asarray(values, np.float64) * 2.0**-INPUT_EXPONENT)
    return np.asarray(np.clip(steps, -32768, 32767) * 2.0**INPUT_EXPONENT, np.float32)


def percentiles(frames: Array, low: float, high: float) -> tuple[Array, Array]:
    """Return two percentiles of each feature, float64 (D,) each.

    Args:
        frames: (T, D).
        low: Percent.
        high: Percent.
    """
    found = np.percentile(frames.astype(np.float64), [low, high], axis=0)
    return found[0], found[1]
