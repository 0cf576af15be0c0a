"""The machine: what it is, and what decided its speed before and after."""

from __future__ import annotations

from collections.abc import Callable

from rnn_edge.report.markup import Markup, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table

UNKNOWN = "not available"
_FACTS = {
    "Board": "model",
    "Processor": "processor",
    "Architecture": "machine",
    "Cores": "cores",
    "System": "system",
    "C library": "libc",
    "Python": "python",
}


def render(root: Node) -> Section:
    """Return tables of the machine and its conditions."""
    place = root.at("place")
    rows = [[name, place.at(key).text() or UNKNOWN] for name, key in _FACTS.items()]
    columns = [Column("What", is_number=False), Column("Found", is_number=False)]
    parts: list[Markup] = [table("The machine", columns, rows)]
    conditions = root.find("conditions")
    if conditions is not None:
        parts.append(_conditions(conditions))
    link = root.find("link")
    if link is not None:
        parts.append(
            paragraph(
                f"Over the link {link.at('steps').integer():,} steps equalled the integer "
                "reference in every bit."
            )
        )
    return Section("conditions", "Machine and conditions", join(*parts))


def _conditions(found: Node) -> Markup:
    readers: dict[str, Callable[[Node], str]] = {
        "Governor": lambda row: _text(row, "governor"),
        "Clock, MHz": lambda row: _number(row, "frequency_mhz"),
        "Temperature, °C": lambda row: _number(row, "temperature_c"),
        "Throttled now": lambda row: _flags(row, "throttled"),
        "Throttled since the start": lambda row: _flags(row, "was_throttled"),
        "Load of the last minute": lambda row: _number(row, "load"),
    }
    columns = [
        Column("What", is_number=False),
        Column("Before", is_number=False),
        Column("After", is_number=False),
    ]
    rows = [
        [name, *(read(found.at(when)) for when in ("before", "after"))]
        for name, read in readers.items()
    ]
    return table("What decides its speed", columns, rows)


def _text(row: Node, key: str) -> str:
    node = row.find(key)
    return UNKNOWN if node is None else node.text()


def _number(row: Node, key: str) -> str:
    value = row.at(key).optional_number()
    return UNKNOWN if value is None else f"{value:.4g}"


def _flags(row: Node, key: str) -> str:
    node = row.find(key)
    if node is None:
        return UNKNOWN
    return ", ".join(item.text() for item in node.items()) or "no"
