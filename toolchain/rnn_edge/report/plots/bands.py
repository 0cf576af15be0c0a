"""Drift over time with its spread: rms error of stretches, and where most of their steps lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

_OPACITY = 0.2
_LOWEST_BAND = 0.1
"""Of the smallest rms: a band that reaches further down is cut off there."""


@dataclass(frozen=True)
class Point:
    """A stretch of a curve.

    Attributes:
        step: At which it ends, positive.
        rms: Over its steps.
        low: Lower end of the band.
        high: Upper end.
    """

    step: int
    rms: float
    low: float
    high: float


def draw_bands(
    prefix: str,
    label: str,
    quantity: str,
    curves: Mapping[str, Sequence[Point]],
    lines: Mapping[str, Line],
) -> Markup:
    """Return the plot, both axes logarithmic.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        quantity: At the vertical axis, with its unit.
        curves: Points by name; those without error have no place on a logarithmic axis and are
            left out.
        lines: How to draw each curve.
    """
    visible = {name: [p for p in points if p.rms > 0] for name, points in curves.items()}
    shown = [point for points in visible.values() for point in points]
    floor = _LOWEST_BAND * min((point.rms for point in shown), default=0.0)

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        for name, points in visible.items():
            steps = [p.step for p in points]
            axes.fill_between(
                steps,
                [max(p.low, floor) for p in points],
                [max(p.high, floor) for p in points],
                color=lines[name].colour,
                alpha=_OPACITY,
                linewidth=0,
            )
        for name, points in visible.items():
            steps, errors = [p.step for p in points], [p.rms for p in points]
            axes.plot(steps, errors, **lines[name].options, marker=lines[name].dot, markersize=2.5)
        if shown:
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.set_xlabel("step, never reset")
        axes.set_ylabel(quantity)
        plain_numbers(axes, is_log_x=bool(shown), is_log_y=bool(shown))

    return draw(prefix, label, (3.9, 2.7), paint)
