"""Sorted values as dots, some of them marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

PLAIN, MARKED, ENDLESS = "unit", "warned of", "without end"
LINES = {
    PLAIN: Line("#2f7fd8", width=0.0),
    MARKED: Line("#d64933", width=0.0, dot="D"),
    ENDLESS: Line("#a259c4", width=0.0, dot="^"),
}
_NUMBERED = 5
_LOG_RATIO = 10.0


@dataclass(frozen=True)
class Dot:
    """A unit.

    Attributes:
        unit: Its index.
        value: Positive, or None where it has no end.
        is_marked: Whether it stands out, with its index beside it.
    """

    unit: int
    value: float | None
    is_marked: bool


def draw_dots(prefix: str, label: str, quantity: str, dots: Sequence[Dot]) -> Markup:
    """Return the plot; what has no end stands at the top.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        quantity: At the vertical axis, with its unit.
        dots: In the order in which they stand from left to right; not empty.
    """
    values = [dot.value for dot in dots if dot.value is not None] or [1.0]
    top = 2.0 * max(values)
    is_log = max(values) > _LOG_RATIO * min(values)

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        numbered = 0
        for place, dot in enumerate(dots):
            line = LINES[MARKED if dot.is_marked else PLAIN if dot.value is not None else ENDLESS]
            height = top if dot.value is None else dot.value
            size = 6.0 if dot.is_marked else 3.5
            shape = LINES[ENDLESS].dot if dot.value is None else line.dot
            axes.plot([place], [height], color=line.colour, marker=shape, markersize=size)
            if dot.is_marked and numbered < _NUMBERED:
                numbered += 1
                axes.annotate(
                    str(dot.unit),
                    (place, height),
                    xytext=(0, 7 if numbered % 2 else -15),
                    textcoords="offset points",
                    ha="center",
                    fontsize=9,
                )
        if is_log:
            axes.set_yscale("log")
        axes.margins(y=0.14)
        axes.set_xlabel("units, sorted")
        axes.set_ylabel(quantity)
        plain_numbers(axes, is_log_x=False, is_log_y=is_log)
        axes.grid(visible=False, axis="x")

    return draw(prefix, label, (4.6, 2.8), paint)
