"""Whether other engines give the bits of the integer reference, where they were compared."""

from __future__ import annotations

from rnn_edge.report.drift_sections.reading import analysis
from rnn_edge.report.markup import join
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.parity import integers


def render(root: Node) -> Section | None:
    """Return a row per engine and tensor; None where no engines were compared."""
    rows = root.find("parity") or analysis(root, "parity")
    if rows is None:
        return None
    return Section("parity", "Parity", join(*integers(rows.items())))
