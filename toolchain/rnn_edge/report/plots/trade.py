"""A trade-off: points in two measures, with intervals of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

RING = "#d64933"
_NEAR = 0.09, 0.06
"""Shares of the two axes within which points have one label."""
_FROM_ZERO = 0.5
"""The horizontal axis begins at 0 unless all points lie above this share of the largest."""


@dataclass(frozen=True)
class Choice:
    """A point.

    Attributes:
        mark: Written beside it.
        kind: How it looks.
        x: At the horizontal axis.
        y: At the vertical axis.
        interval: Of y, or None where it is not known.
        is_suggested: Whether it has a ring.
    """

    mark: str
    kind: str
    x: float
    y: float
    interval: tuple[float, float] | None
    is_suggested: bool


def draw_trade(
    prefix: str,
    label: str,
    quantities: tuple[str, str],
    choices: Sequence[Choice],
    lines: Mapping[str, Line],
) -> Markup:
    """Return the plot.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        quantities: At the horizontal and the vertical axis, with their units.
        choices: The points, one at least.
        lines: How each kind looks.
    """
    marks = joined_marks(choices)

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        axes.axhline(0, **Line("#7a8691", "6 3", width=1.3).options)
        for k, choice in enumerate(choices):
            line = lines[choice.kind]
            if choice.interval is not None:
                axes.vlines(choice.x, *choice.interval, color=line.colour, linewidth=1.2, alpha=0.6)
            axes.plot([choice.x], [choice.y], color=line.colour, marker=line.dot, markersize=6)
            if choice.is_suggested:
                axes.plot(
                    [choice.x],
                    [choice.y],
                    marker="o",
                    markersize=14,
                    markerfacecolor="none",
                    markeredgecolor=RING,
                    markeredgewidth=1.8,
                )
            if k in marks:
                # Several marks stand above the ring, one beside its point.
                is_long = "," in marks[k]
                axes.annotate(
                    marks[k],
                    (choice.x, choice.y),
                    xytext=(0, 12) if is_long else (9, 7),
                    ha="center" if is_long else "left",
                    textcoords="offset points",
                    fontsize=9,
                )
        axes.margins(x=0.12, y=0.1)
        if min(c.x for c in choices) < _FROM_ZERO * max(c.x for c in choices):
            axes.set_xlim(left=0)
        axes.set_xlabel(quantities[0])
        axes.set_ylabel(quantities[1])
        plain_numbers(axes, is_log_x=False, is_log_y=False)

    return draw(prefix, label, (5.4, 3.4), paint)


def joined_marks(choices: Sequence[Choice]) -> dict[int, str]:
    """Return labels by the index of the point that they stand at: points close together share one.

    Args:
        choices: In the order in which marks are named.
    """
    ends = [end for c in choices for end in (c.y, *(c.interval or ()))]
    width = max(c.x for c in choices) - min(c.x for c in choices) or 1.0
    height = max(ends) - min(ends) or 1.0
    found: dict[int, list[str]] = {}
    for k, choice in enumerate(choices):
        near = (
            j
            for j in found
            if abs(choices[j].x - choice.x) <= _NEAR[0] * width
            and abs(choices[j].y - choice.y) <= _NEAR[1] * height
        )
        found.setdefault(next(near, k), []).append(choice.mark)
    return {k: ", ".join(marks) for k, marks in found.items()}
