"""A stream over time: its channels, its scores with thresholds, and what was decided, below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import PALETTE, Line, Shade, draw, plain_numbers

DETECTED, LABELLED = Shade("#c25e00", 0.33), Shade("#d64933", 0.14)
LABELS = "labelled anomalous"

_CHANNEL = Line("#2f7fd8", width=0.9)
_SCORE = Line("#1d4f86", width=0.9)
_THRESHOLD = Line("#c25e00", "6 3", width=1.3)
_LOG_RATIO = 8.0
_WIDTH = 7.2
_HEIGHTS = {"channel": 0.75, "score": 1.7, "marks": 0.1, "mark": 0.2}
_UNITS = (
    (3 * 86_400.0, 86_400.0, "days"),
    (3 * 3600.0, 3600.0, "hours"),
    (600.0, 60.0, "minutes"),
    (0.0, 1.0, "seconds"),
)


@dataclass(frozen=True)
class Curve:
    """A curve by stretches.

    Attributes:
        name: What it is of.
        stretch_s: Length of a stretch in seconds, positive.
        low: Least value of each stretch; None where there is none.
        high: Largest value of each.
    """

    name: str
    stretch_s: float
    low: Sequence[float | None]
    high: Sequence[float | None]


@dataclass(frozen=True)
class Panel:
    """Curves with one axis.

    Attributes:
        title: Of the axis.
        curves: At least one.
        thresholds: Of each curve; None for one that has none.
    """

    title: str
    curves: tuple[Curve, ...]
    thresholds: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Marks:
    """What was decided, and what is labelled.

    Attributes:
        stretch_s: Length of a stretch in seconds.
        detected: Of each label whether it is detected in each stretch.
        labelled: Whether each stretch holds something anomalous; None where nothing is labelled.
    """

    stretch_s: float
    detected: Mapping[str, Sequence[bool]]
    labelled: Sequence[bool] | None

    @property
    def anything(self) -> list[bool]:
        """Whether anything is detected in each stretch."""
        return [any(flags) for flags in zip(*self.detected.values(), strict=True)]


def legend_of(panel: Panel, marks: Marks) -> dict[str, Line | Shade]:
    """Return how everything is drawn that the axes do not name."""
    found: dict[str, Line | Shade] = {}
    for curve, line in zip(panel.curves, _lines(panel), strict=True):
        found[curve.name] = line
    if any(threshold is not None for threshold in panel.thresholds):
        is_one = len(set(panel.thresholds)) == 1
        found["threshold"] = _THRESHOLD if is_one else Line("#7a8691", "6 3", width=1.3)
    found["detected" if len(marks.detected) > 1 else next(iter(marks.detected))] = DETECTED
    return found if marks.labelled is None else {**found, LABELS: LABELLED}


def draw_stream(
    prefix: str,
    source: str,
    channels: Sequence[Panel],
    scores: Panel,
    marks: Marks,
) -> Markup:
    """Return the plot.

    Args:
        prefix: Unique in the page.
        source: Name of the source, for those who do not see the plot.
        channels: One above the other.
        scores: Below them.
        marks: As bars below them, and as shades behind all.
    """
    every = [curve for panel in (*channels, scores) for curve in panel.curves]
    duration = max(len(curve.low) * curve.stretch_s for curve in every)
    unit_s, unit = next((s, name) for at_least, s, name in _UNITS if duration >= at_least)
    stretch = marks.stretch_s / unit_s
    rows = dict(marks.detected)
    shades: list[tuple[Shade, Sequence[bool]]] = [(DETECTED, marks.anything)]
    lines = _lines(scores)
    colours = [line.colour for line in lines] if len(rows) > 1 else [DETECTED.colour]
    if marks.labelled is not None:
        rows[LABELS], colours = marks.labelled, [*colours, LABELLED.colour]
        shades.append((LABELLED, marks.labelled))
    below = _HEIGHTS["marks"] + _HEIGHTS["mark"] * len(rows)
    heights = [_HEIGHTS["channel"]] * len(channels) + [_HEIGHTS["score"], below]

    def paint(plots: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        for axes, panel in zip(plots, channels, strict=False):
            _curve(axes, panel.curves[0], _CHANNEL, unit_s)
            axes.set_ylabel(panel.title, rotation=0, ha="right", va="center", fontsize=9)
            plain_numbers(axes, is_log_x=False, is_log_y=False)
            axes.yaxis.get_major_locator().set_params(nbins=2)
        _scores(plots[-2], scores, unit_s)
        bars = plots[-1]
        for row, (flags, colour) in enumerate(zip(rows.values(), colours, strict=True)):
            spans = [(a * stretch, (b - a) * stretch) for a, b in runs(flags)]
            bars.broken_barh(spans, (-row - 0.8, 0.6), color=colour, linewidth=0.3)
        bars.set_yticks([-row - 0.5 for row in range(len(rows))], list(rows), fontsize=9)
        bars.set_ylim(-len(rows), 0)
        bars.grid(visible=False)
        bars.set_xlabel(f"time, {unit}")
        for axes in plots:
            axes.margins(x=0)
            axes.tick_params(labelsize=9)
        for axes in plots[:-1]:
            for shade, flags in shades:
                for start, end in runs(flags):
                    axes.axvspan(
                        start * stretch,
                        end * stretch,
                        color=shade.colour,
                        alpha=shade.opacity,
                        linewidth=0,
                    )
        bars.set_xlim(0, duration / unit_s)

    return draw(prefix, f"Run over {source}", (_WIDTH, sum(heights) + 0.5), paint, heights=heights)


def runs(marked: Sequence[bool]) -> list[tuple[int, int]]:
    """Return first and one past the last index of every run of True."""
    found, position = [], 0
    for value, group in groupby(marked):
        length = len(list(group))
        if value:
            found.append((position, position + length))
        position += length
    return found


def _lines(panel: Panel) -> list[Line]:
    if len(panel.curves) == 1:
        return [_SCORE]
    looks = [PALETTE[k % len(PALETTE)] for k in range(len(panel.curves))]
    return [Line(look.colour, look.dashes, width=1.2) for look in looks]


def _scores(axes: Any, panel: Panel, unit_s: float) -> None:  # noqa: ANN401 - untyped
    lines = _lines(panel)
    highest = max((v for c in panel.curves for v in c.high if v is not None), default=0.0)
    known = [t for t in panel.thresholds if t is not None]
    # A fault can score a thousand times the threshold and would press everything else flat.
    is_log = bool(known) and min(known) > 0 and highest > _LOG_RATIO * max(known)
    for curve, line in zip(panel.curves, lines, strict=True):
        _curve(axes, curve, line, unit_s)
    for threshold, line in zip(panel.thresholds, lines, strict=False):
        if threshold is not None:
            own = Line(line.colour, _THRESHOLD.dashes, width=_THRESHOLD.width)
            axes.axhline(threshold, **(own if len(set(known)) > 1 else _THRESHOLD).options)
    if is_log:
        axes.set_yscale("log", nonpositive="mask")
        axes.set_ylim(bottom=min(known) / 100.0)
    axes.set_ylabel(panel.title, fontsize=9)
    plain_numbers(axes, is_log_x=False, is_log_y=is_log)


def _curve(axes: Any, curve: Curve, line: Line, unit_s: float) -> None:  # noqa: ANN401 - untyped
    """Draw a curve as the area between its least and largest values, or as a line."""
    low, high = (
        np.array([np.nan if v is None else v for v in values], np.float64)
        for values in (curve.low, curve.high)
    )
    times = (np.arange(len(low)) + 0.5) * curve.stretch_s / unit_s
    if np.array_equal(low, high, equal_nan=True):
        axes.plot(times, high, **line.options)
        return
    axes.fill_between(times, low, high, color=line.colour, linewidth=0.6, alpha=line.opacity)
