"""Horizontal bars in ranked rows, several to a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

_ROW_INCHES = 0.17
"""Height of a bar; a row is one bar more than it has."""
_FRAME_INCHES = 0.75


def draw_bars(
    prefix: str,
    label: str,
    quantity: str,
    names: Sequence[str],
    bars: Mapping[str, Sequence[float]],
    lines: Mapping[str, Line],
    mark: float | None = None,
) -> Markup:
    """Return the plot.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        quantity: At the horizontal axis, with its unit.
        names: Of the rows, from the top down; not empty.
        bars: A value of every row, by kind of bar; not negative.
        lines: The colour of each kind.
        mark: Where a dashed line stands, if at all.
    """
    share = 0.8 / len(bars)

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        for k, (kind, values) in enumerate(bars.items()):
            places = [row + (k - (len(bars) - 1) / 2) * share for row in range(len(names))]
            axes.barh(places, values, height=0.9 * share, color=lines[kind].colour, linewidth=0)
        if mark is not None:
            axes.axvline(mark, **Line("#7a8691", "6 3", width=1.3).options)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlim(left=0)
        axes.set_xlabel(quantity)
        plain_numbers(axes, is_log_x=False, is_log_y=False)
        axes.set_yticks(range(len(names)), labels=names)
        axes.grid(visible=False, axis="y")

    height = _FRAME_INCHES + _ROW_INCHES * len(names) * (len(bars) + 0.6)
    return draw(prefix, label, (4.6, height), paint)
