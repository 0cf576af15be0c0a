"""A trade-off: points in two measures, with intervals of one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

RING = "#d64933"
# In turn, so that marks of points that lie close together do not cover each other.
_OFFSETS = ((0, 11), (0, -19), (0, 21), (0, -29))


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
        choices: The points.
        lines: How each kind looks.
    """

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        axes.axhline(0, **Line("#7a8691", "6 3", width=1.3).options)
        for k, choice in enumerate(sorted(choices, key=lambda each: (each.x, each.mark))):
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
            axes.annotate(
                choice.mark,
                (choice.x, choice.y),
                xytext=_OFFSETS[k % len(_OFFSETS)],
                ha="center",
                textcoords="offset points",
                fontsize=9,
            )
        axes.set_xlim(left=0)
        axes.margins(x=0.08)
        axes.set_xlabel(quantities[0])
        axes.set_ylabel(quantities[1])
        plain_numbers(axes, is_log_x=False, is_log_y=False)

    return draw(prefix, label, (5.4, 3.4), paint)
