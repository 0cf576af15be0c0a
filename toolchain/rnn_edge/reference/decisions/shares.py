"""What a number adds to the score of an alarm: its square over a variance, up to a limit.

With the size e of the number the share is ``min(e^2 * factor >> shift, limit)``. The factor has 24
bits, a size that is squared at most 19, so that no product has more than 62; without a shift the
factor may have 32, and the product is a share. Shares have 31.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types import Array

FACTOR_BITS = 24
SIZE_BITS = 19
MOST_SIZE = 1 << 30


@dataclass(frozen=True)
class ChannelNumbers:
    """How the share of one number is taken.

    Attributes:
        most: Sizes from here on count as the limit, 1..2^30.
        factor: Below 2^24; with a shift of 0 below 2^32.
        coarser: Bits that a size loses before it is squared.
        shift: 0..63.
    """

    most: int
    factor: int
    coarser: int
    shift: int


def channel_numbers(
    variance: float, exponent: int, score_limit: float, fraction_bits: int, count: int
) -> ChannelNumbers:
    """Return how the share of a number is taken.

    Args:
        variance: Of the number, in units of its own, above 0.
        exponent: The number's integers are at 2^this of that unit.
        score_limit: Greatest square over the variance.
        fraction_bits: Shares are at 2^-this.
        count: Numbers whose shares make up a score.

    Raises:
        ModelError: If the variance is none.
    """
    if not variance > 0.0:
        raise ModelError(f"A forecast error has variance {variance:g}; expected more than 0.")
    # Beyond what an error can be the limit is never reached, and need not be known.
    most = min(MOST_SIZE, math.ceil(math.sqrt(score_limit * variance) * 2.0**-exponent))
    coarser = max(0, most.bit_length() - SIZE_BITS)
    # share = (e * 2^coarser)^2 * 2^(2 exponent) / variance * 2^F / C
    wanted = math.ldexp(1.0 / (variance * count), 2 * (exponent + coarser) + fraction_bits)
    mantissa, power = math.frexp(wanted)
    shift = FACTOR_BITS - power
    factor = round(mantissa * 2.0**FACTOR_BITS)
    # A factor that rounds up to 2^24, or one that would need a shift that is none.
    while factor >= 1 << FACTOR_BITS or shift > 63:
        factor, shift = factor >> 1, shift - 1
    if shift < 0:
        # So few units are the limit that the product itself is a share, below 2^31; of one unit
        # there is no error below the limit, whatever the factor.
        factor, shift = min((1 << 32) - 1, round(wanted)), 0
    return ChannelNumbers(max(1, most), factor, coarser, shift)


class Shares:
    """Takes the shares of many numbers at once.

    Args:
        channels: How, for each.
        limit: Greatest share, below 2^31.
    """

    def __init__(self, channels: Sequence[ChannelNumbers], limit: int) -> None:
        self._limit = limit

        def own(name: str) -> Array:
            return np.array([getattr(each, name) for each in channels], np.int64)

        self._most, self._factor = own("most"), own("factor")
        self._coarser, self._shift = own("coarser"), own("shift")

    def of(self, values: Array) -> Array:
        """Return the shares of values int64 (T, R) as int64 (T, R)."""
        size = np.abs(values)
        is_less = size < self._most
        # What counts as the limit anyway could have a product beyond 63 bits.
        coarse = np.where(is_less, size >> self._coarser, 0)
        found = np.minimum((coarse * coarse * self._factor) >> self._shift, self._limit)
        return np.where(is_less, found, self._limit)
