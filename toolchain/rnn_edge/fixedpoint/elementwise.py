"""ADD, SUB, MUL and QUANTIZE on int16 with power-of-two scales.

TFLite's kernels multiply by a Q31 number and shift. With power-of-two scales the Q31 number is
always 2^30, so that the multiplication halves and every operation reduces to shifts; the tests
hold these reduced forms against the kernels' own.

Each has a wide form, which is the result before it is saturated to int16: proofs and measurements
of ranges need to know how far beyond the format a value wants to go.
"""

from __future__ import annotations

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint.saturate import saturate_int16
from rnn_edge.types import Array


def _shift_half_away(value: Array, shift: int) -> Array:
    """Divide by 2**shift, to nearest, ties away from zero (gemmlowp ``RoundingDivideByPOT``)."""
    if shift == 0:
        return value
    half = 1 << (shift - 1)
    return np.where(value >= 0, (value + half) >> shift, -((half - value) >> shift))


def _scale_pot(value: Array, exponent: int) -> Array:
    """Multiply by 2**exponent as ``MultiplyByQuantizedMultiplier(value, 2^30, exponent + 1)``.

    Halving comes first, with ties towards plus infinity (``SaturatingRoundingDoublingHighMul``
    by 2^30), then the remaining shift with ties away from zero: two roundings.
    """
    if exponent >= 0:
        return value << exponent
    return _shift_half_away((value + 1) >> 1, -exponent - 1)


def _sum(a: Array, a_exponent: int, b: Array, b_exponent: int, out_exponent: int) -> Array:
    finest = min(a_exponent, b_exponent)
    if max(a_exponent, b_exponent) - finest > 14:
        raise ModelError(
            f"Sum of scales 2^{a_exponent} and 2^{b_exponent}: more than 14 bits apart."
        )
    total = (a << (a_exponent - finest)) + (b << (b_exponent - finest))
    shift = out_exponent - finest
    return np.asarray(total << -shift if shift < 0 else _shift_half_away(total, shift))


def add(a: Array, a_exponent: int, b: Array, b_exponent: int, out_exponent: int) -> Array:
    """Return a + b at scale 2**out_exponent, int16.

    Args:
        a: int16, scale 2**a_exponent.
        a_exponent: See ``a``.
        b: int16, scale 2**b_exponent, broadcastable against ``a``.
        b_exponent: See ``b``.
        out_exponent: Scale of the result.

    Source: TFLite ``reference_integer_ops::Add`` (int16, left shift 15). Both operands are
        aligned exactly; one rounding, ties away from zero.
    """
    return saturate_int16(wide_add(a, a_exponent, b, b_exponent, out_exponent))


def wide_add(a: Array, a_exponent: int, b: Array, b_exponent: int, out_exponent: int) -> Array:
    """Return what `add` saturates, int64; monotonic in both operands."""
    return _sum(a.astype(np.int64), a_exponent, b.astype(np.int64), b_exponent, out_exponent)


def subtract(a: Array, a_exponent: int, b: Array, b_exponent: int, out_exponent: int) -> Array:
    """Return a - b at scale 2**out_exponent, int16; arguments and rounding as in `add`."""
    return saturate_int16(wide_subtract(a, a_exponent, b, b_exponent, out_exponent))


def wide_subtract(a: Array, a_exponent: int, b: Array, b_exponent: int, out_exponent: int) -> Array:
    """Return what `subtract` saturates, int64; rises with ``a`` and falls with ``b``."""
    return _sum(a.astype(np.int64), a_exponent, -b.astype(np.int64), b_exponent, out_exponent)


def multiply(a: Array, a_exponent: int, b: Array, b_exponent: int, out_exponent: int) -> Array:
    """Return a * b at scale 2**out_exponent, int16; arguments as in `add`.

    Source: TFLite ``reference_integer_ops::Mul`` (int16): the product is rescaled with two
        roundings.
    """
    return saturate_int16(wide_multiply(a, a_exponent, b, b_exponent, out_exponent))


def wide_multiply(a: Array, a_exponent: int, b: Array, b_exponent: int, out_exponent: int) -> Array:
    """Return what `multiply` saturates, int64; monotonic in the product of the operands."""
    product = a.astype(np.int64) * b.astype(np.int64)
    return _scale_pot(product, a_exponent + b_exponent - out_exponent)


def requantize(x: Array, in_exponent: int, out_exponent: int) -> Array:
    """Return x, at scale 2**in_exponent, at scale 2**out_exponent, int16.

    Source: TFLite ``reference_ops::Requantize`` (int16 to int16).
    """
    return saturate_int16(wide_requantize(x, in_exponent, out_exponent))


def wide_requantize(x: Array, in_exponent: int, out_exponent: int) -> Array:
    """Return what `requantize` saturates, int64; monotonic."""
    return _scale_pot(x.astype(np.int64), in_exponent - out_exponent)
