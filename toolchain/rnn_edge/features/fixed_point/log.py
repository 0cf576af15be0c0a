"""Logarithms of integers: the place of the leading one, and a table for what follows it."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array

RAW_BITS = 16
"""A logarithm is an integer at scale 2^-16, in nepers."""

INDEX_BITS, FRACTION_BITS, TABLE_BITS = 6, 10, 19

_HALF_MINUS_LN2 = 20110
"""(1 - ln 2) * 2^16, rounded."""

LOG2_TABLE = np.rint(
    (np.log2(1.0 + np.arange(65) / 64.0) - np.arange(65) / 64.0) * 2.0**TABLE_BITS
).astype(np.uint16)
"""uint16 (65,), by how much log2(1 + k / 64) exceeds k / 64, at scale 2^-19."""


def log2_q16(values: Array) -> Array:
    """Return log2 of positive integers at scale 2^-16, 7.3e-5 too low or 9e-6 too high at most.

    Args:
        values: uint64, above 0.

    Returns:
        int64, 0 to 64 * 2^16.
    """
    upper = values >> np.uint64(32)
    leading = np.where(upper > 0, upper, values & np.uint64(0xFFFFFFFF))
    place = np.frexp(leading.astype(np.float64))[1].astype(np.int64) - 1
    place += np.where(upper > 0, 32, 0)
    aligned = values << (63 - place).astype(np.uint64)
    fraction = ((aligned >> np.uint64(47)) & np.uint64(0xFFFF)).astype(np.int64)
    index, rest = fraction >> FRACTION_BITS, fraction & ((1 << FRACTION_BITS) - 1)
    table = LOG2_TABLE.astype(np.int64)
    rise = table[index + 1] - table[index]
    shift = TABLE_BITS + FRACTION_BITS - RAW_BITS
    bend = ((table[index] << FRACTION_BITS) + rise * rest + (1 << (shift - 1))) >> shift
    return np.asarray((place << RAW_BITS) + fraction + bend)


def nepers_q16(log2: Array) -> Array:
    """Return natural logarithms at scale 2^-16 from those to the base 2, within 1.5e-4."""
    return np.asarray(log2 - ((log2 * _HALF_MINUS_LN2) >> 16))
