"""Whether every engine gives the bits, or the floating-point figures, of its reference."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return one row per engine and tensor, integer engines first."""
    return Section(
        "parity",
        "Parity",
        join(
            *integers(root.at("parity").items()),
            *_floats(root.at("float_engines").items()),
        ),
    )


def is_within(row: Node) -> bool:
    """Return whether a float engine is as near to the float reference as it must be."""
    tolerance = row.at("tolerance").optional_number()
    return tolerance is None or row.at("maximum").number() <= tolerance


def integers(rows: tuple[Node, ...]) -> list[Markup]:
    """Return the table of integer engines and what it says, or that there is none.

    Args:
        rows: As `types.replay.ParityRow` is written.
    """
    if not rows:
        return [paragraph("No engine was compared with the integer reference.")]
    columns = [
        Column("Engine", is_number=False),
        Column("Tensor", is_number=False),
        Column("Verdict", is_number=False),
        Column("Steps"),
        Column("Values that differ"),
        Column("Largest difference, LSB"),
        Column("First at step"),
    ]
    return [
        paragraph(
            "Every integer engine against the integer reference (int8): the same input integers, "
            "every state and output at every step, never reset. Equal means equal in every bit."
        ),
        table("Integer engines, to the bit", columns, [_row(row) for row in rows]),
    ]


def _row(row: Node) -> list[str]:
    differing = row.at("differing").integer()
    first = row.at("first_step")
    return [
        row.at("engine").text(),
        row.at("tensor").text(),
        _verdict("different" if differing else "equal", is_good=not differing),
        formatting.count(row.at("steps").integer()),
        formatting.count(differing),
        formatting.count(row.at("max_lsb").integer()),
        formatting.UNDEFINED if first.value is None else formatting.count(first.integer()),
    ]


def _floats(rows: tuple[Node, ...]) -> list[Markup]:
    if not rows:
        return [paragraph("No engine was compared with the float reference.")]
    columns = [
        Column("Engine", is_number=False),
        Column("Tensor", is_number=False),
        Column("Verdict", is_number=False),
        Column("Steps"),
        Column("Largest difference"),
        Column("Allowed"),
    ]
    return [
        paragraph(
            "Engines that compute in floating point against the float reference, over the same "
            "stream. They add in another order, so that a rounding error is allowed and no bit is "
            "compared; an engine with an arithmetic of its own is held to nothing, its distance "
            "is a result. Differences are in the unit of the tensor."
        ),
        table("Float engines, within rounding", columns, [_float_row(row) for row in rows]),
    ]


def _float_row(row: Node) -> list[str]:
    tolerance = row.at("tolerance").optional_number()
    is_near = is_within(row)
    return [
        row.at("engine").text(),
        row.at("tensor").text(),
        "own arithmetic"
        if tolerance is None
        else _verdict("within rounding" if is_near else "off", is_good=is_near),
        formatting.count(row.at("steps").integer()),
        formatting.number(row.at("maximum").number(), 2),
        formatting.number(tolerance, 1),
    ]


def _verdict(word: str, is_good: bool) -> Markup:
    if is_good:
        return element("span", word, class_="good")
    return element("strong", word, class_="bad")
