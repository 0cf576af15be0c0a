"""What the model was trained and judged on."""

from __future__ import annotations

from rnn_edge.report.markup import bullets, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.values import render_values


def render(root: Node) -> Section:
    """Return source, notes and summary of the data."""
    data = root.at("data")
    kind = "synthetic" if data.at("is_synthetic").flag() else "recorded"
    notes: list[str] = [note.text() for note in data.at("notes").items()]
    parts = [
        paragraph("Source: ", element("code", data.at("source").text()), f" ({kind})."),
        render_values(_shown(data.at("summary"))),
    ]
    if notes:
        parts += [element("h3", "Done to the data on reading"), bullets(notes)]
    return Section("data", "Data", join(*parts))


_SAID_ALREADY = ("source", "is_synthetic", "notes")
_KINDS = ("audio", "sensors")


def _shown(summary: Node) -> Node:
    """Return the summary without what stands elsewhere, its one kind of data on top."""
    shown: dict[str, Node] = {}
    for key, child in summary.entries().items():
        if key in _KINDS:
            shown |= {} if child.value is None else child.entries()
        elif key not in _SAID_ALREADY:
            shown[key] = child
    return Node({key: child.value for key, child in shown.items()}, summary.path)
