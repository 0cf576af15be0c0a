"""LOGISTIC and TANH on int16: one table, linear interpolation.

The table has the values of the logistic function at i/24, times 2^16. TFLite's own table is not
rounded to nearest everywhere: 44 of its entries are one higher. They were found by exact
comparison of the kernels' outputs over all inputs, and are facts of the runtimes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types import Array

_ONE_HIGHER = (
    4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41,
    43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
)  # fmt: skip


def _sigmoid_table() -> Array:
    exact = 65536.0 / (1.0 + np.exp(-np.arange(256) / 24.0))
    table = np.floor(exact + 0.5).astype(np.int64)
    table[list(_ONE_HIGHER)] += 1
    table.setflags(write=False)
    return np.asarray(table)


SIGMOID_TABLE = _sigmoid_table()
"""int64 (256,): sigmoid(i/24) * 2^16 as the kernels have it."""


def _interpolate(magnitude: Array, fraction_bits: int) -> Array:
    """Look up |x| in the table, with ``fraction_bits`` bits between two entries."""
    index = np.minimum(magnitude >> fraction_bits, 254)
    fraction = magnitude & ((1 << fraction_bits) - 1)
    low = SIGMOID_TABLE[index]
    return np.asarray((low << fraction_bits) + fraction * (SIGMOID_TABLE[index + 1] - low))


@functools.cache
def _results(function: Callable[[Array], Array]) -> Array:
    """Return a function of every int16, in the order of the bits of an uint16."""
    found = function(np.arange(1 << 16).astype(np.uint16).view(np.int16))
    found.setflags(write=False)
    return found


def _of_int16(function: Callable[[Array], Array], x: Array) -> Array:
    """Look up what a function of int16 gives: a stream asks for few values very often."""
    if x.dtype != np.int16:
        return function(x)
    return np.asarray(_results(function)[x.view(np.uint16)])


def logistic(x: Array, in_exponent: int) -> Array:
    """Return the logistic function of x, int16 at scale 2^-15.

    Args:
        x: int16 at scale 2**in_exponent.
        in_exponent: -11, the one scale at which all kernels agree.

    Source: TFLite ``reference_integer_ops::Logistic`` (int16).
    """
    if in_exponent != -11:
        raise ModelError(f"LOGISTIC at scale 2^{in_exponent}; expected 2^-11.")
    return _of_int16(_logistic, x)


def _logistic(x: Array) -> Array:
    # 3 * 2^-12 per step turns the input into table positions with 9 fractional bits.
    position = x.astype(np.int64) * 6
    magnitude = np.abs(position)
    value = np.where(magnitude >> 9 >= 255, 0x7FFF << 10, _interpolate(magnitude, 9))
    signed = np.where(position >= 0, value + (1 << 9), (1 << 25) - value + (1 << 9) - 1)
    return np.asarray((signed >> 10).astype(np.int16))


def tanh(x: Array, in_exponent: int) -> Array:
    """Return the hyperbolic tangent of x, int16 at scale 2^-15.

    Args:
        x: int16 at scale 2**in_exponent.
        in_exponent: -13, the one scale at which all kernels agree.

    Source: TFLite ``reference_integer_ops::Tanh`` (int16): tanh(x) = 2*sigmoid(2x) - 1, from the
        same table with 8 fractional bits.
    """
    if in_exponent != -13:
        raise ModelError(f"TANH at scale 2^{in_exponent}; expected 2^-13.")
    return _of_int16(_tanh, x)


def _tanh(x: Array) -> Array:
    position = (x.astype(np.int64) * 3 + 1) >> 1
    magnitude = np.abs(position)
    value = np.where(magnitude >> 8 >= 255, 0xFFFF << 8, _interpolate(magnitude, 8))
    signed = np.where(
        position >= 0, value - (1 << 23) + (1 << 7), -value + (1 << 23) + (1 << 7) - 1
    )
    return np.asarray((signed >> 8).astype(np.int16))
