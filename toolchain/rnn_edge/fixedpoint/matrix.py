"""FULLY_CONNECTED, int16 activations by int8 weights with an int64 bias."""

from __future__ import annotations

import numpy as np

from rnn_edge.fixedpoint.saturate import saturate_int16
from rnn_edge.types import Array


def fully_connected(x: Array, weight: Array, bias: Array, multiplier: Array, shift: Array) -> Array:
    """Return ``(x @ weight.T + bias) * multiplier * 2**-shift``, rounded once, as int16.

    Args:
        x: int16 (..., K).
        weight: float64 (N, K) holding int8 values. The product runs in float64, where every
            partial sum of int16 x int8 is exact up to K = 2^31.
        bias: int64 (N,).
        multiplier: int64 (N,), below 2^15.
        shift: int64 (N,), 1..46.

    Returns:
        int16 (..., N). Rounding is to nearest, ties towards plus infinity.

    Source: TFLite ``MultiplyByQuantizedMultiplier(int64)``: ``(acc*m + 2^(30-s)) >> (31-s)``, the
        form with a 15-bit mantissa.
    """
    return saturate_int16(rescale(accumulate(x, weight, bias), multiplier, shift))


def accumulate(x: Array, weight: Array, bias: Array) -> Array:
    """Return ``x @ weight.T + bias``, int64 (..., N); arguments as in `fully_connected`."""
    return np.asarray((x.astype(np.float64) @ weight.T).astype(np.int64) + bias)


def rescale(accumulator: Array, multiplier: Array, shift: Array) -> Array:
    """Return what `fully_connected` saturates, int64 (..., N); monotonic in the accumulator.

    Args:
        accumulator: int64 (..., N), below 2^47 in magnitude, so that the product fits an int64.
        multiplier: As in `fully_connected`.
        shift: As in `fully_connected`.
    """
    half = np.int64(1) << (shift - 1)
    return np.asarray((accumulator * multiplier + half) >> shift)
