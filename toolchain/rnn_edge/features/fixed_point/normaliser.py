"""From logarithms to the model's int16 input, in integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.features.fixed_point.log import RAW_BITS
from rnn_edge.features.normaliser import INPUT_EXPONENT, Normaliser
from rnn_edge.types import Array

LARGEST_MULTIPLIER = (1 << 31) - 1
LARGEST_SHIFT = 46
LARGEST_MEAN = 1 << 22
"""Beyond every logarithm of an energy, at scale 2^-16."""


@dataclass(frozen=True, eq=False)
class IntegerNormaliser:
    """``x = (raw - mean) * multiplier / 2^shift``, rounded and saturated.

    Attributes:
        mean: int32 (D,), at scale 2^-16.
        multiplier: int32 (D,), positive.
        shift: 1 to 46, the same for all bands.
    """

    mean: Array
    multiplier: Array
    shift: int

    @classmethod
    def of(cls, normaliser: Normaliser) -> IntegerNormaliser:
        """Return the integers that say the same as a float normaliser.

        The shift is the largest that the band with the smallest deviation allows.
        """
        factor = 2.0 ** (-RAW_BITS - INPUT_EXPONENT) / normaliser.scale.astype(np.float64)
        largest = float(factor.max())
        shift = min(LARGEST_SHIFT, 31 - int(np.frexp(largest)[1]))
        multiplier = np.rint(factor * 2.0**shift)
        mean = np.rint(normaliser.mean.astype(np.float64) * 2.0**RAW_BITS)
        return cls(
            np.clip(mean, -LARGEST_MEAN, LARGEST_MEAN).astype(np.int32),
            np.clip(multiplier, 1, LARGEST_MULTIPLIER).astype(np.int32),
            shift,
        )

    def apply(self, raw: Array) -> Array:
        """Return int16 (..., D) at scale 2^-12.

        Args:
            raw: int64 (..., D), logarithms at scale 2^-16.
        """
        scaled = (raw - self.mean.astype(np.int64)) * self.multiplier.astype(np.int64)
        rounded = (scaled + (1 << (self.shift - 1))) >> self.shift
        return np.asarray(np.clip(rounded, -32768, 32767).astype(np.int16))
