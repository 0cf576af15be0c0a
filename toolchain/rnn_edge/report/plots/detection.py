"""What detections cost: words that are missed over false accepts per hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers
from rnn_edge.report.plots.trade import RING


@dataclass(frozen=True)
class DetectionCurve:
    """One curve.

    Attributes:
        points: (false accepts per hour, miss rate 0..1), in the order of the thresholds.
        chosen: The same with the limits as they are.
    """

    points: Sequence[tuple[float, float]]
    chosen: tuple[float, float]


def draw_detection(
    prefix: str,
    label: str,
    least: float,
    wanted: float | None,
    curves: Mapping[str, DetectionCurve],
    lines: Mapping[str, Line],
) -> Markup:
    """Return the plot.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        least: False accepts per hour that stand at the left edge: one in all of the sound. Of
            points with fewer only the first is drawn, there.
        wanted: False accepts per hour that were calibrated for, or None.
        curves: By name.
        lines: How to draw each.
    """

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        if wanted is not None:
            axes.axvline(wanted, **Line("#7a8691", "6 3", width=1.3).options)
        for name, curve in curves.items():
            some = [(x, y) for x, y in curve.points if x >= least]
            none = [(least, y) for x, y in curve.points if x < least]
            shown = some + none[:1]
            axes.plot([x for x, _ in shown], [100.0 * y for _, y in shown], **lines[name].options)
            x, y = curve.chosen
            axes.plot(
                [max(x, least)],
                [100.0 * y],
                marker="o",
                markersize=9,
                markerfacecolor="none",
                markeredgecolor=RING,
                markeredgewidth=1.8,
            )
        axes.set_xscale("log")
        axes.set_xlim(left=least)
        axes.set_ylim(0, 100)
        axes.set_xlabel("false accepts per hour without commands")
        axes.set_ylabel("missed words, %")
        plain_numbers(axes, is_log_x=True, is_log_y=False)

    return draw(prefix, label, (5.4, 3.4), paint)
