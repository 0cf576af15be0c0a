"""Simple detectors beside the model, and which is to be used."""

from __future__ import annotations

from collections.abc import Sequence

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.reader import Node, named
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.metrics import INT8
from rnn_edge.report.tables import Column, table

_SHARES = {
    "f1": "F1 by frame",
    "event_f1": "F1 by event",
    "auc_pr": "Area under precision and recall",
    "false_alarm_rate": "False alarms, of normal frames",
    "missing_alarm_rate": "Missed, of anomalous frames",
}


def render(root: Node) -> Section | None:
    """Return the section; None for tasks without baselines, and where none were measured."""
    found = root.find("baselines")
    if found is None:
        return None
    rows = found.at("rows").items()
    columns = [Column("Measure", is_number=False), Column("model, int8", is_main=True)]
    columns += [Column(row.at("name").text()) for row in rows]
    model = named(root.at("models"), INT8)
    if model is None:
        root.at("models").fail(f"a model called {INT8!r}")
    metrics = [model.at("metrics"), *(row.at("metrics") for row in rows)]
    left_out = [line.text() for line in found.at("left_out").items()]
    return Section(
        "baselines",
        "Simple baselines",
        join(
            paragraph(element("b", "Verdict"), f": {found.at('advice').text()}"),
            table(
                "On the same recordings, by the same smoothing, threshold method and alarm logic",
                columns,
                measured(metrics),
            ),
            *_left_out(left_out),
        ),
    )


def measured(metrics: Sequence[Node]) -> list[list[str]]:
    """Return a row for each measure, with a cell for each of several metrics."""
    rows = []
    for key, title in _SHARES.items():
        shares = [m.at(key).optional_number() for m in metrics]
        if any(share is not None for share in shares):
            rows.append([title, *map(formatting.percent, shares)])
    rates = [None if (m := each.find(_PER_DAY)) is None else m.number() for each in metrics]
    if any(rate is not None for rate in rates):
        rows.append(["False alarms per day", *map(formatting.number, rates)])
    runs = [formatting.count(m.at("false_alarm_runs").integer()) for m in metrics]
    rows.append(["False alarms, counted as runs", *runs])
    return rows


_PER_DAY = "false_alarms_per_day"


def _left_out(lines: list[str]) -> list[Markup]:
    if not lines:
        return []
    return [paragraph("Not fitted, for want of:"), bullets(lines)]
