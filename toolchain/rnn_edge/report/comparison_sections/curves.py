"""The drift of two results in one plot per tensor."""

from __future__ import annotations

from rnn_edge.report.comparison_sections.pair import Pair
from rnn_edge.report.drift_sections.curves import figure
from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.sections.base import Section


def render(pair: Pair) -> Section:
    """Return the curves of the tensors that both have, all streams together."""
    totals = dict(zip(pair.names, (root.at("total") for root in pair.both), strict=True))
    figures = [
        figure(f"curve{k}", tensor, totals, pair.lines)
        for k, tensor in enumerate(pair.common_tensors())
    ]
    return Section(
        "curves",
        "Drift over time",
        join(
            paragraph(
                "Root mean square error since the last reset, all streams of each result "
                "together; bands hold nine of ten steps."
            ),
            legend(pair.lines),
            element("div", *figures, class_="plots wide"),
        ),
    )
