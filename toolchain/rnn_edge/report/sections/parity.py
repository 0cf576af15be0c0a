"""Whether every engine gives the bits of the integer reference."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return one row per engine and tensor."""
    rows = root.at("parity").items()
    if not rows:
        return Section(
            "parity", "Parity", paragraph("No engine was compared with the integer reference.")
        )
    columns = [
        Column("Engine", is_number=False),
        Column("Tensor", is_number=False),
        Column("Verdict", is_number=False),
        Column("Steps"),
        Column("Values that differ"),
        Column("Largest difference, LSB"),
        Column("First at step"),
    ]
    return Section(
        "parity",
        "Parity",
        join(
            paragraph(
                "Every engine against the integer reference: the same input integers, every "
                "state and output at every step, never reset."
            ),
            table("Comparison to the bit", columns, [_row(row) for row in rows]),
        ),
    )


def _row(row: Node) -> list[str]:
    differing = row.at("differing").integer()
    first = row.at("first_step")
    return [
        row.at("engine").text(),
        row.at("tensor").text(),
        _verdict(differing),
        formatting.count(row.at("steps").integer()),
        formatting.count(differing),
        formatting.count(row.at("max_lsb").integer()),
        formatting.UNDEFINED if first.value is None else formatting.count(first.integer()),
    ]


def _verdict(differing: int) -> Markup:
    if differing:
        return element("strong", "different", class_="bad")
    return element("span", "equal", class_="good")
