"""Cutting rows into uninterrupted pieces, filling short holes on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from rnn_edge.data.options import SensorTableOptions
from rnn_edge.types import Array


@dataclass(frozen=True, eq=False)
class Piece:
    """Rows that belong together.

    Attributes:
        values: float64 (T, D).
        anomalous: bool (T,), or None where nothing is labelled.
    """

    values: Array
    anomalous: Array | None

    def part(self, start: int, stop: int) -> Piece:
        """Return some of the rows."""
        labels = None if self.anomalous is None else self.anomalous[start:stop]
        return Piece(self.values[start:stop], labels)


def whole_pieces(
    rows: Piece, missing: Array, options: SensorTableOptions, done: Counter[str]
) -> list[Piece]:
    """Deal with missing rows and cells.

    Args:
        rows: Values may be NaN.
        missing: int64 (T,): samples missing before each row.
        options: What to fill and where to cut.
        done: Counts what was done: "gaps filled", "gaps cut", "cells filled", "rows dropped".

    Returns:
        Pieces with finite values, in order.
    """
    longest = options.max_gap if options.gaps == "interpolate" else 0
    cuts = [int(k) for k in np.flatnonzero(missing[1:] > longest) + 1]
    done["gaps cut"] += len(cuts)
    pieces = []
    for start, stop in zip([0, *cuts], [*cuts, len(missing)], strict=True):
        if start < stop:
            block = rows.part(start, stop)
            pieces += _fill(block, missing[start:stop], options, done)
    return pieces


def normal_pieces(piece: Piece, done: Counter[str]) -> list[Piece]:
    """Cut anomalous rows out; ``done["anomalous rows cut"]`` counts them."""
    if piece.anomalous is None or not piece.anomalous.any():
        return [piece]
    done["anomalous rows cut"] += int(piece.anomalous.sum())
    return [piece.part(*run) for run in runs(~piece.anomalous)]


def runs(mask: Array) -> list[tuple[int, int]]:
    """Return start and stop of each run of true values of a bool (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _fill(
    block: Piece, missing: Array, options: SensorTableOptions, done: Counter[str]
) -> list[Piece]:
    """Lay a block on an even grid, fill what may be filled and cut at the rest."""
    position = np.concatenate([[0], np.cumsum(missing[1:] + 1)])
    grid = np.full((int(position[-1]) + 1, block.values.shape[1]), np.nan)
    grid[position] = block.values
    is_inserted = np.ones(len(grid), np.bool_)
    is_inserted[position] = False
    done["gaps filled"] += int(is_inserted.sum())

    for column in grid.T:
        holes = np.isnan(column)
        for start, stop in runs(holes):
            is_inside = start > 0 and stop < len(column)
            may_fill = options.missing_values == "interpolate" or is_inserted[start:stop].all()
            if is_inside and may_fill and stop - start <= options.max_gap:
                span = np.arange(start, stop)
                ends = column[[start - 1, stop]]
                column[start:stop] = np.interp(span, [start - 1, stop], ends)
                done["cells filled"] += int((~is_inserted[start:stop]).sum())
    whole = np.isfinite(grid).all(axis=1)
    done["rows dropped"] += int((~whole & ~is_inserted).sum())
    done["gaps filled"] -= int((~whole & is_inserted).sum())
    filled = Piece(grid, _labels_on_grid(block.anomalous, position, len(grid)))
    return [filled.part(*run) for run in runs(whole)]


def _labels_on_grid(anomalous: Array | None, position: Array, length: int) -> Array | None:
    """Spread labels; an inserted row is anomalous if a row beside the gap is."""
    if anomalous is None:
        return None
    index = np.arange(length)
    before = np.searchsorted(position, index, side="right") - 1
    after = np.searchsorted(position, index, side="left")
    return np.asarray(anomalous[before] | anomalous[after])
