"""What did not run: a report must not look more complete than it is."""

from __future__ import annotations

from rnn_edge.report.markup import bullets, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section


def render(root: Node) -> Section:
    """Return the engines and checks that did not run, with the reasons."""
    reasons: list[str] = [reason.text() for reason in root.at("not_run").items()]
    body = bullets(reasons) if reasons else paragraph("Everything ran.")
    return Section("not-run", "Not run", body)
