"""The files that the build wrote for devices and runtimes."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return one row per file."""
    rows = [
        [
            row.at("file").text(),
            formatting.count(row.at("bytes").integer()),
            formatting.size(row.at("bytes").integer()),
        ]
        for row in root.at("exports").items()
    ]
    if not rows:
        return Section("exports", "Exports", paragraph("Nothing was exported."))
    columns = [Column("File", is_number=False), Column("Bytes"), Column("Size")]
    return Section("exports", "Exports", table("Exported files", columns, rows))
