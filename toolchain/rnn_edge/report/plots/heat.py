"""Error of every unit along a stream, as colours."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.extras import require
from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import draw, plain_numbers

LEVELS = 16
"""Colours of the scale, which are equal ratios apart."""
_DECADES = 6.0
"""The scale reaches no further below the largest error; what is smaller has its last colour."""
_BELOW = 0.02
"""Share of the cells that may have its last colour because they are smaller."""
_COLOURS = "viridis"
# Perceptually uniform, and its darkest and brightest colour stand out from paper and from night.


@dataclass(frozen=True)
class Tile:
    """A rectangle of cells.

    Attributes:
        first_row: Top.
        rows: How many.
        first_column: Left.
        columns: How many.
    """

    first_row: int
    rows: int
    first_column: int
    columns: int


def draw_heat(
    prefix: str, label: str, steps: Sequence[int], rows: Sequence[Sequence[float]]
) -> Markup:
    """Return the plot.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        steps: At which each stretch ends, rising; not empty.
        rows: Error in every stretch, a row per unit, drawn from the top down; not empty.
    """
    values = sorted(value for row in rows for value in row if value > 0) or [1.0]
    top = math.log10(values[-1])
    smallest = math.log10(values[int(_BELOW * len(values))])
    bottom = min(max(smallest, top - _DECADES), top - 0.1)
    levels = [[_level(v, bottom, top) for v in row] for row in rows]
    edges = _edges(steps)

    def paint(plots: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        path = require("matplotlib.path", "report", "the plots of a report")
        patches = require("matplotlib.patches", "report", "the plots of a report")
        colours = require("matplotlib", "report", "the plots of a report").colormaps[_COLOURS]
        scale, axes = plots
        for level in range(LEVELS):
            # From the lowest level up, each over all cells that reach it: no gaps between them.
            found = tiles_of([[cell >= level for cell in row] for row in levels])
            if found:
                outlines = [_outline(path, tile, edges) for tile in found]
                compound = path.Path.make_compound_path(*outlines)
                colour = colours(level / (LEVELS - 1))
                axes.add_patch(patches.PathPatch(compound, facecolor=colour, linewidth=0))
            ends = [10 ** (bottom + (top - bottom) * (level + k) / LEVELS) for k in (0, 1)]
            scale.axvspan(*ends, color=colours(level / (LEVELS - 1)), linewidth=0)
        scale.set_xscale("log")
        scale.set_xlim(10**bottom, 10**top)
        scale.set_yticks([])
        scale.xaxis.tick_top()
        scale.spines[:].set_visible(False)
        scale.grid(visible=False)
        plain_numbers(scale, is_log_x=True, is_log_y=False)
        scale.set_yticks([])
        axes.set_xscale("log")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(len(rows), 0)
        axes.grid(visible=False)
        axes.set_xlabel("step, never reset")
        axes.set_ylabel("units, worst on top")
        plain_numbers(axes, is_log_x=True, is_log_y=False)

    return draw(prefix, label, (3.9, 3.3), paint, heights=(1, 14), is_shared=False)


def tiles_of(mask: Sequence[Sequence[bool]]) -> list[Tile]:
    """Return rectangles that cover what is true, none of them overlapping.

    Args:
        mask: Rows of one length.
    """
    done: list[Tile] = []
    growing: dict[tuple[int, int], Tile] = {}
    for row, cells in enumerate(mask):
        runs = set(_runs(cells))
        done += [tile for run, tile in growing.items() if run not in runs]
        growing = {
            (first, count): Tile(
                growing[first, count].first_row if (first, count) in growing else row,
                growing[first, count].rows + 1 if (first, count) in growing else 1,
                first,
                count,
            )
            for first, count in sorted(runs)
        }
    return done + list(growing.values())


def _runs(cells: Sequence[bool]) -> list[tuple[int, int]]:
    found, position = [], 0
    for is_set, run in itertools.groupby(cells):
        length = len(list(run))
        if is_set:
            found.append((position, length))
        position += length
    return found


def _level(value: float, bottom: float, top: float) -> int:
    if value <= 0:
        return 0
    share = (math.log10(value) - bottom) / (top - bottom)
    return min(max(int(share * LEVELS), 0), LEVELS - 1)


def _edges(steps: Sequence[int]) -> list[float]:
    """Return where stretches begin and end on a logarithmic axis, which has no step 0."""
    return [min(1.0, steps[0] / 2), *map(float, steps)]


def _outline(path: Any, tile: Tile, edges: Sequence[float]) -> Any:  # noqa: ANN401 - untyped
    left, right = edges[tile.first_column], edges[tile.first_column + tile.columns]
    top, bottom = tile.first_row, tile.first_row + tile.rows
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return path.Path(corners, closed=True)
