"""Matrices whose columns of zeros are left out of the C, four rows at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rnn_edge.exporters.c_blocks import SIDE, in_strips
from rnn_edge.types import Array

WORTH_IT = 0.75
"""Matrices are left whole unless they take less than this share of their bytes without zeros: to
bring the inputs of columns together takes as long as to multiply them."""
MOST_COLUMNS = 256
"""Columns whose number fits a byte."""
MOST_BLOCKS = 65535
"""Blocks whose number fits two bytes."""
_ROUNDED_TO = 32


@dataclass(frozen=True, eq=False)
class KeptColumns:
    """The columns that are not zeros of each strip of four rows, filled up to a multiple of four.

    Attributes:
        blocks: int8 (N, 4, 4), four columns of a strip each; those of a strip from left to right,
            strips from top to bottom.
        columns: uint8 (N, 4), which ones they are.
        starts: uint16 (strips + 1,), the first block of each strip, and N.
    """

    blocks: Array
    columns: Array
    starts: Array

    @property
    def longest(self) -> int:
        """The most columns that a strip has."""
        return SIDE * int(np.diff(self.starts.astype(np.int64)).max())

    @property
    def index_bytes(self) -> int:
        """Bytes that say where the columns are."""
        return self.columns.size + 2 * self.starts.size


def kept_columns(weight: Array, gates: int) -> KeptColumns | None:
    """Return the columns that are not zeros, or None where it is not worth it.

    Args:
        weight: int8 (N, K); the rows of a gate follow each other.
        gates: How many gates the rows are of; divides N.
    """
    strips = in_strips(weight, gates)
    if weight.shape[1] > MOST_COLUMNS:
        return None
    blocks, columns, starts = [], [], [0]
    for strip in strips:
        is_used = (strip != 0).any(axis=0)
        count = max(1, -(-int(is_used.sum()) // SIDE))
        # Columns of zeros, which come last, fill up to a multiple of four.
        chosen = np.argsort(~is_used, kind="stable")[: SIDE * count]
        blocks.append(strip[:, chosen].reshape(SIDE, count, SIDE).transpose(1, 0, 2))
        # A column of the padding has no input; its weights are zeros whatever it is multiplied by.
        columns.append(np.where(chosen < weight.shape[1], chosen, 0).reshape(count, SIDE))
        starts.append(starts[-1] + count)
    kept = np.concatenate(blocks)
    if len(kept) > MOST_BLOCKS:
        return None
    found = KeptColumns(kept, np.concatenate(columns).astype(np.uint8), np.array(starts, np.uint16))
    return found if kept.size + found.index_bytes <= WORTH_IT * strips.size else None


def most_kept(matrices: Iterable[KeptColumns | None]) -> int:
    """Return the inputs that the kernels have to bring together; 0 where none.

    It is rounded up a little, so that models which differ by little have one kernel library.
    """
    longest = max((each.longest for each in matrices if each), default=0)
    return -(-longest // _ROUNDED_TO) * _ROUNDED_TO
