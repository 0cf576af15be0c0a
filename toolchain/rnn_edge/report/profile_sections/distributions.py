"""How the times of steps are distributed."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.plots.latency import Distribution, draw_distributions
from rnn_edge.report.profile_sections.reading import looks, subjects, value
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section


def render(root: Node) -> Section | None:
    """Return the plot, or None where nothing was timed."""
    rows = subjects(root)
    if not rows:
        return None
    found = {
        title: Distribution(
            each.at("histogram").at("edges_us").numbers(),
            [item.integer() for item in each.at("histogram").at("counts").items()],
        )
        for title, each in rows.items()
    }
    medians = [
        f"{title} {formatting.number(value(each.at('step_us').at('p50')))} µs"
        for title, each in rows.items()
    ]
    label = f"Shares of steps that take longer than a time; medians: {', '.join(medians)}"
    lines = looks(root)
    plot = draw_distributions(
        f"{root.document.prefix}steps", label, "time of a step, µs", found, lines
    )
    return Section(
        "distributions",
        "Distribution of step times",
        join(
            paragraph(
                "For every time, the share of steps that take longer: a curve that falls steeply "
                "and at once has little jitter; where one runs on to the right, few steps are "
                "very late."
            ),
            legend(lines),
            element("figure", plot),
        ),
    )
