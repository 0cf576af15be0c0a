"""What would make the model drift less, and at what price."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.drift_sections.reading import analysis
from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section | None:
    """Return the changes that were tried, best first; None where none were."""
    found = analysis(root, "recommendations")
    if found is None:
        return None
    columns = [
        Column("Change", is_number=False),
        Column("Setting", is_number=False, is_wide=True),
        Column("Drift with it, rms"),
        Column("Saved"),
        Column("Price", is_number=False, is_wide=True),
    ]
    rows = [_row(change) for change in found.at("changes").items()]
    drift = formatting.number(found.at("drift").number())
    return Section(
        "recommendations",
        "What would help",
        join(
            paragraph(
                f"{found.at('remark').text()} As the model is, its hidden state drifts by {drift} "
                "rms on the pieces that changes were tried on."
            ),
            *([table("Changes and their price", columns, rows)] if rows else []),
        ),
    )


def _row(change: Node) -> list[str]:
    is_measured = change.at("is_measured").flag()
    drift = formatting.number(change.at("drift").number())
    setting = change.at("setting").text()
    return [
        change.at("title").text(),
        element("code", setting)
        if change.at("is_available").flag()
        else join("none", element("small", "a measure of what it would be worth")),
        join(drift, element("small", "measured" if is_measured else "the most it can reach")),
        formatting.percent(change.at("saved").number()),
        change.at("price").text(),
    ]
