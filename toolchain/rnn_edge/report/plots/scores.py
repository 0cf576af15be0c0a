"""Anomaly scores of one recording over time, float and int8, with thresholds and labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import PALETTE, Line, draw, plain_numbers

_SHADE = "#d64933"
LINES = {
    "float": Line(PALETTE[0].colour),
    "int8": Line(PALETTE[1].colour),
    "threshold of each": Line(PALETTE[0].colour, "2 3"),
    "labelled anomalous": Line(_SHADE),
}
# int8 runs on top of float where they agree: the thinner line lets the other be seen.
_WIDTHS = {"float": 2.8, "int8": 0.9}
_LOG_RATIO = 20.0
_UNITS = ((3 * 3600.0, 3600.0, "hours"), (600.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))
"""Shortest recording, in seconds, for which the unit is used; its seconds; its name."""


def draw_scores(
    prefix: str,
    recording: str,
    sample_rate_hz: float,
    reference: Sequence[float],
    int8: Sequence[float],
    thresholds: tuple[float, float],
    anomalous: Sequence[bool] | None,
) -> Markup:
    """Return the plot.

    Args:
        prefix: Unique in the page.
        recording: Name of the recording, for those who do not see the plot.
        sample_rate_hz: Of the scores, positive.
        reference: Scores of the float model, not empty.
        int8: Scores of the int8 model, as many.
        thresholds: Scores above which a sample counts as anomalous, of float and of int8.
        anomalous: Label of every score, or None where the recording has none.
    """
    duration = len(reference) / sample_rate_hz
    unit_s, unit = next((s, name) for at_least, s, name in _UNITS if duration >= at_least)
    times = [k / sample_rate_hz / unit_s for k in range(len(reference))]
    lowest, highest = min(*reference, *int8), max(*reference, *int8)
    # A fault can score a thousand times the threshold and would press everything else flat.
    is_log = lowest > 0 and min(thresholds) > 0 and highest > _LOG_RATIO * max(thresholds)

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        for start, end in _stretches(anomalous or ()):
            width = 1 / sample_rate_hz / unit_s
            axes.axvspan(start * width, end * width, color=_SHADE, alpha=0.16, linewidth=0)
        limit = LINES["threshold of each"].style
        for name, scores, threshold in zip(_WIDTHS, (reference, int8), thresholds, strict=True):
            colour = LINES[name].colour
            axes.plot(times, scores, color=colour, linewidth=_WIDTHS[name])
            axes.axhline(threshold, color=colour, linestyle=limit, linewidth=1.6)
        if is_log:
            axes.set_yscale("log")
        axes.set_xlabel(unit)
        axes.set_ylabel("score")
        axes.margins(x=0)
        plain_numbers(axes, is_log_x=False, is_log_y=is_log)

    return draw(prefix, f"Anomaly scores of {recording}", (5.6, 2.6), paint)


def _stretches(marked: Sequence[bool]) -> list[tuple[int, int]]:
    """Return first and one past the last index of every run of True."""
    found = []
    position = 0
    for value, run in groupby(marked):
        length = len(list(run))
        if value:
            found.append((position, position + length))
        position += length
    return found
