"""Anomaly scores of one recording over time, float and int8, and the difference below them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, Shade, draw, plain_numbers

FLOAT, INT8, DIFFERENCE = "float", "int8", "int8 − float"
# int8 runs on top of float where they agree: the thin dark line lets the wide pale one be seen.
LINES = {
    FLOAT: Line("#5b9be6", width=4.0, opacity=0.6),
    INT8: Line("#c25e00", width=1.0),
    "threshold of float": Line("#2f7fd8", "6 3", width=1.5),
    "threshold of int8": Line("#c25e00", "2 2", width=1.5),
    DIFFERENCE: Line("#7a8691", width=1.0),
}
LABELLED = Shade("#d64933", 0.16)
LEGEND: dict[str, Line | Shade] = {**LINES, "labelled anomalous": LABELLED}
_LOG_RATIO = 8.0
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
    # A fault can score a thousand times the threshold and would press everything else flat. The
    # frames before the state has settled score 0: a logarithmic axis leaves them out.
    highest = max(*reference, *int8)
    is_log = min(thresholds) > 0 and highest > _LOG_RATIO * max(thresholds)

    def paint(plots: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        above, below = plots
        width = 1 / sample_rate_hz / unit_s
        for start, end in _stretches(anomalous or ()):
            for axes in plots:
                axes.axvspan(
                    start * width,
                    end * width,
                    color=LABELLED.colour,
                    alpha=LABELLED.opacity,
                    linewidth=0,
                )
        for name, scores, threshold in zip(
            (FLOAT, INT8), (reference, int8), thresholds, strict=True
        ):
            above.plot(times, scores, **LINES[name].options)
            above.axhline(threshold, **LINES[f"threshold of {name}"].options)
        if is_log:
            above.set_yscale("log", nonpositive="mask")
        above.set_ylabel("score")
        above.margins(x=0)
        difference = [a - b for a, b in zip(int8, reference, strict=True)]
        below.plot(times, difference, **LINES[DIFFERENCE].options)
        below.set_xlabel(f"time, {unit}")
        below.set_ylabel(DIFFERENCE)
        below.margins(x=0)
        plain_numbers(above, is_log_x=False, is_log_y=is_log)
        plain_numbers(below, is_log_x=False, is_log_y=False)
        below.yaxis.get_major_locator().set_params(nbins=3)

    return draw(prefix, f"Anomaly scores of {recording}", (5.6, 3.4), paint, heights=(3, 1))


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
