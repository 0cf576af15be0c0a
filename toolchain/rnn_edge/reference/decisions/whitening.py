"""Residuals that vary together, made into numbers that vary one by one, in integers.

A residual e is made an int16 q, ``q = saturate((e + 2^(s - 1)) >> s)``, with a shift s of its own;
row k of the whitening gives ``z = sum over j <= k of w[k, j] * q[j]``. The weights of a row have no
more than 65,535 in sum of their sizes, so that no partial sum, in whatever order, has more than
65,535 * 2^15 < 2^31: an int32 holds it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import INT16_MAX, INT16_MIN
from rnn_edge.reference.decisions.shares import MOST_SIZE, ChannelNumbers, channel_numbers
from rnn_edge.types import Array

MOST_RESIDUALS = 64
"""Of a score of the covariance on a device: 2,080 weights."""
MOST_ROW_WEIGHT = 65_535
"""Sum of the sizes of a row's weights."""
SPAN = 256.0
"""Standard deviations that an int16 residual holds at least, where errors get that far."""


@dataclass(frozen=True)
class WhiteningNumbers:
    """What a device needs to know to whiten residuals.

    Attributes:
        shifts: Bits that each residual loses, 0..15.
        weights: Of each row, one more than of the row before; int16, of which the sizes in a row
            have a sum of 65,535 at most.
        rows: How the share of each row's sum is taken.
    """

    shifts: tuple[int, ...]
    weights: tuple[tuple[int, ...], ...]
    rows: tuple[ChannelNumbers, ...]

    @property
    def most_row_weight(self) -> int:
        """Greatest sum of the sizes of a row's weights."""
        return max(sum(map(abs, row)) for row in self.weights)

    def matrix(self) -> Array:
        """Return the weights int64 (R, R), zero above the diagonal."""
        found = np.zeros((len(self.weights), len(self.weights)), np.int64)
        for k, row in enumerate(self.weights):
            found[k, : k + 1] = row
        return found


def require_whitenable(residuals: int) -> None:
    """Refuse a covariance of more residuals than a device whitens.

    Raises:
        ModelError: If there are.
    """
    if residuals > MOST_RESIDUALS:
        raise ModelError(
            f"A covariance of {residuals} residuals; a device whitens at most {MOST_RESIDUALS}.",
            'set detector.score = "variance", or fewer model.offsets',
        )


def whitening_numbers(
    whitening: Array,
    variance: Array,
    exponent: int,
    most_error: int,
    score_limit: float,
    fraction_bits: int,
) -> WhiteningNumbers:
    """Return the integers of a whitening.

    Args:
        whitening: float (R, R), lower triangular; times residuals in real units.
        variance: float (R,), of the residuals in real units.
        exponent: Errors are at 2^this.
        most_error: Greatest size of an error.
        score_limit: Greatest square of a row's result.
        fraction_bits: Shares are at 2^-this.

    Raises:
        ModelError: If the integers of a device do not hold it.
    """
    count = len(variance)
    require_whitenable(count)
    if not np.isfinite(whitening).all():
        raise ModelError("A whitening has numbers that are none; expected finite ones.")
    if whitening.shape != (count, count) or np.triu(whitening, 1).any():
        raise ModelError(
            f"A whitening of shape {whitening.shape}; expected a lower triangle for {count} "
            "residuals."
        )
    if not (np.diag(whitening) > 0.0).all():
        raise ModelError("A whitening has a diagonal that is not positive; expected one that is.")
    shifts = [_shift(float(each), exponent, most_error) for each in variance]
    of_units = whitening * np.ldexp(1.0, exponent + np.array(shifts))
    weights, rows = [], []
    for k, exact in enumerate(of_units):
        sizes = np.abs(exact[: k + 1])
        # Rounding adds half a unit to each at most.
        scale = min(
            INT16_MAX / sizes.max(),
            (MOST_ROW_WEIGHT - (k + 1) / 2) / sizes.sum(),
            MOST_SIZE / np.sqrt(score_limit),
        )
        weights.append(tuple(int(each) for each in np.rint(exact[: k + 1] * scale)))
        rows.append(channel_numbers(float(scale) ** 2, 0, score_limit, fraction_bits, count))
    return WhiteningNumbers(tuple(shifts), tuple(weights), tuple(rows))


def _shift(variance: float, exponent: int, most_error: int) -> int:
    span = min(float(most_error), SPAN * np.sqrt(variance) * 2.0**-exponent)
    shift = 0
    while INT16_MAX << shift < span and shift < 15:
        shift += 1
    return shift


class Whitening:
    """Whitens errors.

    Args:
        numbers: Of the whitening.
    """

    def __init__(self, numbers: WhiteningNumbers) -> None:
        self._shifts = np.array(numbers.shifts, np.int64)
        self._matrix = numbers.matrix()

    def of(self, errors: Array) -> Array:
        """Return errors int64 (T, R), below 2^31 in size, as sums of rows, int64 (T, R)."""
        half = (np.int64(1) << self._shifts) >> 1
        residuals = np.clip((errors + half) >> self._shifts, INT16_MIN, INT16_MAX)
        found: Array = residuals @ self._matrix.T
        return found
