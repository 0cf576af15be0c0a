"""What simple detectors reach on the same recordings, and which is to be used."""

from __future__ import annotations

from rnn_edge.report.card.blocks import Part, Table, Words
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.baselines import measured
from rnn_edge.report.sections.metrics import INT8, is_judged, model_metrics


def part(root: Node) -> Part | None:
    """Return the verdict and the table; None where no baseline was measured."""
    found = root.find("baselines")
    if found is None or not is_judged(root):
        return None
    rows = found.at("rows").items()
    metrics = [model_metrics(root, INT8), *(row.at("metrics") for row in rows)]
    columns = ("Measure", "model, int8", *(row.at("name").text() for row in rows))
    return Part(
        "Beside simple baselines",
        (
            Words(f"Verdict: {found.at('advice').text()}"),
            Table(
                "On the same recordings, by the same smoothing, threshold method and alarm logic",
                columns,
                tuple(tuple(row) for row in measured(metrics)),
            ),
        ),
    )
