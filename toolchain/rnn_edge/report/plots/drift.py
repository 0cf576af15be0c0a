"""Drift over time: error of one tensor over an unreset stream, a line per quantized model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers


def draw_drift(
    prefix: str,
    label: str,
    quantity: str,
    curves: Mapping[str, Sequence[tuple[float, float]]],
    lines: Mapping[str, Line],
) -> Markup:
    """Return the plot, both axes logarithmic.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        quantity: At the vertical axis, with its unit.
        curves: (step, rms error in real units) by model; points without error have no place on
            a logarithmic axis and are left out.
        lines: How to draw each model.
    """
    visible = {
        name: [(step, rms) for step, rms in points if step > 0 and rms > 0]
        for name, points in curves.items()
    }
    is_log = any(visible.values())

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        for name, points in visible.items():
            steps, errors = [p[0] for p in points], [p[1] for p in points]
            axes.plot(steps, errors, **lines[name].options, marker="o", markersize=2.0)
        if is_log:
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.set_xlabel("step, never reset")
        axes.set_ylabel(quantity)
        plain_numbers(axes, is_log_x=is_log, is_log_y=is_log)

    return draw(prefix, label, (3.9, 2.5), paint)
