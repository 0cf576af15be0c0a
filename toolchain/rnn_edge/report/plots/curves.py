"""Training curves: one quantity over training steps, a line per run and a dot per value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

_LOG_RATIO = 30.0
_FEW = 12
_DOT, _SMALL_DOT = 5.5, 2.5


def draw_curves(
    prefix: str,
    label: str,
    quantity: str,
    curves: Mapping[str, Sequence[tuple[float, float]]],
    lines: Mapping[str, Line],
) -> Markup:
    """Return the plot.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        quantity: At the vertical axis.
        curves: (step, value) by run.
        lines: How to draw each run.
    """
    values = [value for points in curves.values() for _, value in points]
    is_log = bool(values) and min(values) > 0 and max(values) > _LOG_RATIO * min(values)

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        for name, points in curves.items():
            steps, ys = [p[0] for p in points], [p[1] for p in points]
            # A dot for every value: a run that was judged once has no line.
            line, size = lines[name], _DOT if len(steps) <= _FEW else _SMALL_DOT
            axes.plot(steps, ys, **line.options, marker=line.dot, markersize=size)
        if is_log:
            axes.set_yscale("log")
        axes.set_xlim(left=0)
        axes.set_xlabel("training step")
        axes.set_ylabel(quantity)
        plain_numbers(axes, is_log_x=False, is_log_y=is_log)

    return draw(prefix, label, (3.9, 2.5), paint)
