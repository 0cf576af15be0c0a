"""What was counted: what is wrong with the samples, and how the model ran."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.tables import Column, table


def render(root: Node) -> Section:
    """Return every count."""
    rows = [["reset policy", root.at("reset_policy").text()]]
    for name, node in root.at("counts").entries().items():
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            rows.append([name.replace("_", " "), formatting.number(float(node.value))])
    for label, node in root.at("counts").at("decisions").entries().items():
        rows.append([f"decisions: {label}", formatting.count(node.integer())])
    scores, thresholds = root.at("scores").items(), root.at("thresholds").items()
    for score, threshold in zip(scores, thresholds, strict=True):
        value = threshold.optional_number()
        rows.append([f"threshold: {score.text()}", formatting.number(value)])
    columns = [Column("What", is_number=False), Column("Count")]
    return Section("counts", "Counts", table("Of this run", columns, rows))
