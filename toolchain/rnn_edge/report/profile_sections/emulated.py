"""What an emulated processor can tell: sizes and counted instructions, and no times."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section | None:
    """Return the banner and the instructions of a step, or None for a real processor."""
    if not root.at("place").at("is_emulated").flag():
        return None
    parts = [
        paragraph(
            element("strong", "Emulated."),
            " The processor was imitated: what it computed equals the integer reference in every "
            "bit, and how long it took says nothing about the real one. No times are shown.",
            kind="banner",
        )
    ]
    rows = root.find("instructions")
    if rows is not None:
        cells = [
            [each.at("processor").text(), formatting.count(each.at("per_step").integer())]
            for each in rows.items()
        ]
        columns = [Column("Compiled for", is_number=False), Column("Instructions of a step")]
        parts.append(table("Counted instructions", columns, cells))
    return Section("emulated", "Emulation", join(*parts))
