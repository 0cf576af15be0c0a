"""What is steady in a band: followed, taken away, divided by; all of it in logarithms.

The level of a band follows its logarithm, quickly downwards and slowly upwards, so that speech
passes over it. Taking power away is adding ln(1 - rest) to a logarithm, dividing is subtracting.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_edge.features.fixed_point.log import log2_q16, nepers_q16
from rnn_edge.features.fixed_point.products import product
from rnn_edge.features.fixed_point.tables import FrontEndTables
from rnn_edge.types import Array

RISE, FALL = 512, 4096
"""Of the difference to the level a frame adds RISE / 2^16 where it is above, FALL / 2^16 below."""

OVERSUBTRACTION = 2.0
"""Times the level is taken away; the level is a mean of logarithms, below that of powers."""

LEAST_SHARE = 0.05
"""Of its power a band keeps at least this."""

STRENGTH_Q15 = 24576
"""Power of the level that a band is divided by, 0.75."""

STEP_BITS, TABLE_BITS = 13, 13
STEPS = 64
"""The table's steps of 1/8 neper over the level; beyond it nothing is taken away."""

SUPPRESSION_TABLE = np.append(
    np.rint(
        np.log(np.maximum(1.0 - OVERSUBTRACTION * np.exp(-np.arange(STEPS) / 8.0), LEAST_SHARE))
        * 2.0**TABLE_BITS
    ),
    0,
).astype(np.int16)
"""int16 (65,), ln of the share that is left at k / 8 nepers over the level, at scale 2^-13."""


def suppression(above: Array) -> Array:
    """Return what to add to a logarithm that lies so far above the level, both at 2^-16.

    Args:
        above: int64, any value.
    """
    limited = np.clip(above, 0, (STEPS << STEP_BITS) - 1)
    index, rest = limited >> STEP_BITS, limited & ((1 << STEP_BITS) - 1)
    table = SUPPRESSION_TABLE.astype(np.int64)
    rise = table[index + 1] - table[index]
    shift = STEP_BITS + TABLE_BITS - 16
    found = ((table[index] << STEP_BITS) + rise * rest + (1 << (shift - 1))) >> shift
    return np.where(above >= STEPS << STEP_BITS, 0, found)


def lowest_of(tables: FrontEndTables) -> int:
    """Return the logarithm of silence at scale 2^-16, before anything is taken away."""
    silence = log2_q16(np.array([tables.floor], np.uint64)) + tables.offset
    return int(nepers_q16(silence)[0])


class NoiseLevel:
    """The level of every band of one stream.

    Args:
        tables: The constants; a gain is relative to the logarithm of silence.
        suppresses: Whether the level is taken away.
        normalises: Whether bands are divided by a power of it.
    """

    def __init__(self, tables: FrontEndTables, suppresses: bool, normalises: bool) -> None:
        self._lowest = lowest_of(tables)
        self._changes: list[Callable[[Array, Array], Array]] = []
        if suppresses:
            self._changes.append(_suppress)
        if normalises:
            self._changes.append(self._normalise)
        self.level: Array | None = None
        """int64 (bands,), of the last frame; None before the first one."""

    def apply(self, raw: Array) -> Array:
        """Follow frames and return them changed.

        Args:
            raw: int64 (frames, bands), logarithms at scale 2^-16.
        """
        changed = np.empty_like(raw)
        for t, row in enumerate(raw):
            if self.level is None:
                self.level = row.copy()
            difference = row - self.level
            self.level = self.level + product(difference, np.where(difference > 0, RISE, FALL))
            changed[t] = row + sum(change(row, self.level) for change in self._changes)
        return changed

    def _normalise(self, row: Array, level: Array) -> Array:
        return -product(2 * (level - self._lowest), STRENGTH_Q15)


def _suppress(row: Array, level: Array) -> Array:
    return suppression(row - level)
