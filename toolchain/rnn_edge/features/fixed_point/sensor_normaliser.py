"""From sums of samples to the model's int16 input, in integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.features.fixed_point.sensor_config import SUM_BITS, IntegerWindowConfig
from rnn_edge.features.normaliser import INPUT_EXPONENT, Normaliser
from rnn_edge.types import Array

LARGEST_MULTIPLIER = (1 << 31) - 1
MULTIPLIER_BITS = 30
SMALLEST_SHIFT, LARGEST_SHIFT = 1, 61


@dataclass(frozen=True, eq=False)
class SensorNormaliser:
    """``x = floor((n * multiplier + bias) / 2^shift)``, saturated.

    n is the sum of a window's samples, from the centre, or the window's length times the
    deviation; neither exceeds 2^30, so that no product exceeds 2^61, and nothing 2^63.

    Attributes:
        bias: int64 (D,), what takes the mean away and rounds to the nearest.
        multiplier: int32 (D,), positive.
        shift: int64 (D,), 1 to 61.
        step: float64 (D,), see `feature_units`.
        origin: int64 (D,), likewise.
    """

    bias: Array
    multiplier: Array
    shift: Array
    step: Array
    origin: Array

    @classmethod
    def of(cls, normaliser: Normaliser, config: IntegerWindowConfig) -> SensorNormaliser:
        """Return the integers that say the same as a float normaliser of D features."""
        step, origin = feature_units(config)
        largest = 1 << SUM_BITS
        mean = np.clip(normaliser.mean.astype(np.float64) / step - origin, -largest, largest)
        factor = step * 2.0**-INPUT_EXPONENT / normaliser.scale.astype(np.float64)
        shift = np.clip(
            MULTIPLIER_BITS + 1 - np.frexp(factor)[1], SMALLEST_SHIFT, LARGEST_SHIFT
        ).astype(np.int64)
        multiplier = np.clip(np.rint(np.ldexp(factor, shift)), 1, LARGEST_MULTIPLIER)
        half = np.int64(1) << (shift - 1)
        bias = half - np.rint(mean * multiplier).astype(np.int64)
        return cls(bias, multiplier.astype(np.int32), shift, step, origin)

    def apply(self, features: Array) -> Array:
        """Return int16 (..., D) at scale 2^-12.

        Args:
            features: float64 (..., D), what `IntegerWindows` gave.
        """
        n = np.rint(features / self.step).astype(np.int64) - self.origin
        scaled = (n * self.multiplier.astype(np.int64) + self.bias) >> self.shift
        return np.asarray(np.clip(scaled, -32768, 32767).astype(np.int16))


def feature_units(config: IntegerWindowConfig) -> tuple[Array, Array]:
    """Return what features are in integers: ``feature = (n + origin) * step``, exactly.

    Returns:
        float64 (D,), what one of n is in the unit of the data, and int64 (D,), window times centre
        of a mean and 0 of a deviation.
    """
    window, channels = config.window_samples, len(config.exponents)
    step = np.ldexp(1.0, np.asarray(config.exponents, np.int64)) / window
    origin = np.zeros(config.features(channels), np.int64)
    origin[:channels] = window * np.asarray(config.centre, np.int64)
    return np.resize(step, len(origin)), origin
