"""Scales that every runtime multiplies alike."""

from __future__ import annotations

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types import Array

MANTISSA_BITS = 15
SMALLEST_ROW_SCALE = 2.0**-24
"""Scale of a row without weights worth rounding; keeps the shift in the range of the kernels."""


def round_scale_up(scale: Array) -> Array:
    """Return scales rounded up to an odd mantissa of 15 bits, as float32.

    Rounding up and not to nearest keeps max|w| / scale at or below 127. An odd mantissa keeps a
    rescaled accumulator off the middle between two integers, where LiteRT rounds negative values
    away from zero and tflite-runtime and TFLM towards plus infinity: with a multiplier that is
    odd, the middle is met at odd multiples of half the divisor only.

    Args:
        scale: Positive or zero, any shape; what is below 2^-24 becomes 2^-24.
    """
    floor = np.maximum(np.asarray(scale, np.float64), SMALLEST_ROW_SCALE)
    mantissa, exponent = np.frexp(floor)
    whole = np.ceil(mantissa * 2.0**MANTISSA_BITS).astype(np.int64)
    # A mantissa that is rounded up to 1 belongs to the next octave.
    carried = whole == 1 << MANTISSA_BITS
    whole, exponent = np.where(carried, whole >> 1, whole) | 1, exponent + carried
    return np.asarray(np.ldexp(whole.astype(np.float64), exponent - MANTISSA_BITS), np.float32)


def row_multipliers(
    weight_scale: Array, input_exponent: int, output_exponent: int
) -> tuple[Array, Array]:
    """Return the integer form of ``2**input_exponent * weight_scale / 2**output_exponent``.

    Args:
        weight_scale: float32 (N,), mantissa of at most 15 bits.
        input_exponent: Scale of the input is 2**input_exponent.
        output_exponent: Scale of the output is 2**output_exponent.

    Returns:
        ``multiplier`` int64 (N,) in 2^14..2^15-1 and ``shift`` int64 (N,) in 1..46, with
        ``real = multiplier * 2**-shift``.

    Raises:
        ModelError: If a shift is outside the range that the kernels can do.

    Source: TFLite ``QuantizeMultiplier``: frexp, mantissa rounded to Q31; here the lower 16 bits
        of the mantissa are zero, so that 15 bits say the same.
    """
    mantissa, exponent = np.frexp(weight_scale.astype(np.float64))
    multiplier = np.rint(mantissa * 2.0**MANTISSA_BITS).astype(np.int64)
    shift = MANTISSA_BITS - (exponent.astype(np.int64) + input_exponent - output_exponent)
    if (shift < 1).any() or (shift > MANTISSA_BITS + 31).any():
        raise ModelError(
            f"Row multiplier: shift {int(shift.min())}..{int(shift.max())}; expected 1..46. "
            f"The weights are too large or too small for the scales around them."
        )
    return multiplier, shift
