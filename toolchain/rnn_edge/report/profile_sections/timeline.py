"""How step times went along from round to round, with the temperature where it is known."""

from __future__ import annotations

from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.plots.canvas import legend
from rnn_edge.report.plots.latency import draw_timeline
from rnn_edge.report.profile_sections.reading import looks, subjects
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section


def render(root: Node) -> Section | None:
    """Return the plot, or None where nothing was timed."""
    rows = subjects(root)
    if not rows:
        return None
    medians = {
        title: [part.at("p50_us").number() for part in each.at("by_round").items()]
        for title, each in rows.items()
    }
    heat = [
        (float(moment.at("round").integer()), degrees)
        for moment in root.at("timeline").items()
        if (degrees := moment.at("temperature_c").optional_number()) is not None
    ]
    said = "" if heat else " The machine does not tell its temperature."
    lines = looks(root)
    span = [f"{title} {min(values):.3g} to {max(values):.3g}" for title, values in medians.items()]
    label = f"Median step of every round in microseconds: {', '.join(span)}"
    return Section(
        "timeline",
        "Over time",
        join(
            paragraph(
                "The median step of every round: a rise from round to round is a processor that "
                f"grows hot and is slowed down.{said}"
            ),
            legend(lines, has_dots=True),
            element(
                "figure",
                draw_timeline(f"{root.document.prefix}rounds", label, medians, lines, heat),
            ),
        ),
    )
