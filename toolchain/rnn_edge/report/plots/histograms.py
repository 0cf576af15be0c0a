"""Two histograms of one quantity on top of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rnn_edge.report.markup import Markup
from rnn_edge.report.plots.canvas import Line, draw, plain_numbers

FLOAT, INTEGER = "float", "integer"
# The thin dark outline of one runs on the wide pale one of the other where they agree.
LINES = {FLOAT: Line("#5b9be6", width=4.0, opacity=0.6), INTEGER: Line("#c25e00", width=1.2)}


def draw_histograms(
    prefix: str,
    label: str,
    span: tuple[float, float],
    real: Sequence[int],
    integer: Sequence[int],
) -> Markup:
    """Return the plot; shares are on a logarithmic axis, on which an empty bin has no place.

    Args:
        prefix: Unique in the page.
        label: What the plot shows.
        span: Lower edge of the first and upper edge of the last of equal bins.
        real: Counts of the float model, not empty.
        integer: Counts of the integer model, as many.
    """
    width = (span[1] - span[0]) / len(real)
    edges = [span[0] + width * k for k in range(len(real) + 1)]

    def paint(axes: Any) -> None:  # noqa: ANN401 - matplotlib publishes no types
        lowest = 1.0
        for name, counts in ((FLOAT, real), (INTEGER, integer)):
            shares = [count / max(sum(counts), 1) for count in counts]
            axes.stairs(shares, edges, baseline=None, **LINES[name].options)
            lowest = min([lowest, *(share for share in shares if share > 0)])
        # First the ends: where no value is positive there are none that could be found.
        axes.set_ylim(lowest / 2, 1.5)
        axes.set_yscale("log", nonpositive="clip")
        axes.set_xlim(*span)
        axes.set_ylabel("share of values")
        plain_numbers(axes, is_log_x=False, is_log_y=True)

    return draw(prefix, label, (3.4, 2.0), paint)
