"""SOFTMAX on int16: two tables with linear interpolation, exp over -10..0 and 1/(1+x) over 0..1.

LiteRT (default, reference and XNNPACK resolvers) and tflite-runtime 2.14 give these bits. TFLM
computes its tables in single precision: a few of their entries are one off, and with them a few of
its outputs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_edge.fixedpoint.saturate import INT16_MAX, INT16_MIN
from rnn_edge.types import Array

_ENTRIES = 513


def _nearest(value: Array) -> Array:
    """Round to nearest, ties away from zero, as C does."""
    return np.asarray(np.sign(value) * np.floor(np.abs(value) + 0.5))


def _table(function: Callable[[Array], Array], low: float, high: float) -> Array:
    """Return int64 (513,): the function at scale 2^-15, moved by half the error between entries.

    Source: TFLite ``gen_lut`` (int16).
    """
    step = (high - low) / (_ENTRIES - 1)
    at = low + step * np.arange(_ENTRIES)
    exact = function(at) * 32768.0
    sample = _nearest(exact)
    chord = _nearest((exact[1:] + sample[:-1]) / 2.0)
    bias = _nearest((chord - _nearest(function(at[:-1] + step / 2.0) * 32768.0)) / 2.0)
    values = np.append(sample[:-1] - bias, sample[-1])
    table = np.clip(values, INT16_MIN, INT16_MAX).astype(np.int64)
    table.setflags(write=False)
    return np.asarray(table)


EXP_TABLE = _table(np.exp, -10.0, 0.0)
"""int64 (513,): exp(x) * 2^15 for x of -10..0."""
RECIPROCAL_TABLE = _table(lambda x: 1.0 / (1.0 + x), 0.0, 1.0)
"""int64 (513,): 2^15 / (1 + x) for x of 0..1."""


def _look_up(table: Array, position: Array) -> Array:
    """Interpolate at an int16 position: 128 positions lie between two entries."""
    index = 256 + (position >> 7)
    low = table[index]
    return np.asarray(low + (((table[index + 1] - low) * (position & 127) + 64) >> 7))


def softmax(x: Array, in_exponent: int) -> Array:
    """Return the softmax of x over the last axis, int16 at scale 2^-15, 0..32767.

    Args:
        x: int16 (..., C) at scale 2**in_exponent.
        in_exponent: -15..0.

    Source: TFLite ``reference_ops::SoftmaxInt16``.
    """
    values = x.astype(np.int64)
    below = values - values.max(axis=-1, keepdims=True)
    # 6553.5 positions per unit: 13107 / 2. First to nearest with ties towards plus infinity, and
    # then, at fine scales, once more with ties away from zero.
    octaves = in_exponent + 13
    scaled = ((below << max(octaves, 0)) * 13107 + (1 << 13)) >> 14
    if octaves < 0:
        scaled = -((-scaled + (1 << (-octaves - 1))) >> -octaves)
    powers = _look_up(EXP_TABLE, np.clip(scaled + INT16_MAX, INT16_MIN, INT16_MAX))
    total = powers.sum(axis=-1, keepdims=True)
    # The total's bits below its leading one are the x of 1/(1+x).
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    mantissa = ((total << (31 - bits)) + (1 << 13)) >> 14
    reciprocal = _look_up(RECIPROCAL_TABLE, np.clip(mantissa - 3 * (1 << 15), INT16_MIN, INT16_MAX))
    shift = bits - 1
    result = (powers * reciprocal + (np.int64(1) << (shift - 1))) >> shift
    return np.asarray(np.clip(result, 0, INT16_MAX).astype(np.int16))
