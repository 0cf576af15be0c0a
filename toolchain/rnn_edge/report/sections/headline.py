"""What one wants to know first: quality, size, drift and whether all engines agree."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, element
from rnn_edge.report.reader import Node, named
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.metrics import FLOAT, INT8, Score, accuracy, f1, model_metrics


def render(root: Node) -> Section:
    """Return the tiles at the top of the page."""
    quality = _keywords(root) if root.at("task").text() == "kws" else _anomalies(root)
    tiles = [*quality, _size(root), _drift(root), _parity(root)]
    return Section("summary", "Summary", element("div", *tiles, class_="tiles"))


def _tile(label: str, value: str, *notes: str, kind: str | None = None) -> Markup:
    small = [element("small", note) for note in notes]
    return element(
        "div", element("span", label), element("strong", value, class_=kind), *small, class_="tile"
    )


def _compared(label: str, int8: Score, reference: Score) -> Markup:
    notes = [f"{formatting.percent_range(int8.low, int8.high)} (95 % interval)"]
    if int8.value is not None and reference.value is not None:
        change = formatting.points(int8.value - reference.value)
        notes.append(f"float {formatting.percent(reference.value)}, int8 {change}")
    return _tile(label, formatting.percent(int8.value), *notes)


def _keywords(root: Node) -> list[Markup]:
    int8, reference = model_metrics(root, INT8), model_metrics(root, FLOAT)
    return [
        _compared(f"Accuracy, int8, {words}", accuracy(int8.at(key)), accuracy(reference.at(key)))
        for key, words in (("unreset", "never reset"), ("reset", "reset"))
    ]


def _anomalies(root: Node) -> list[Markup]:
    int8, reference = model_metrics(root, INT8), model_metrics(root, FLOAT)
    false_alarms, missing = (
        tuple(metrics.at(key).optional_number() for metrics in (int8, reference))
        for key in ("false_alarm_rate", "missing_alarm_rate")
    )
    return [
        _compared("F1 by sample, int8", f1(int8), f1(reference)),
        _tile(
            "False alarms, int8",
            formatting.percent(false_alarms[0]),
            f"of the normal samples; float {formatting.percent(false_alarms[1])}",
            f"missed: {formatting.percent(missing[0])} of the anomalous samples; "
            f"float {formatting.percent(missing[1])}",
        ),
    ]


def _size(root: Node) -> Markup:
    return _tile(
        "Weights and biases",
        formatting.size(root.at("weight_bytes").integer()),
        f"{formatting.count(root.at('macs').integer())} multiply-accumulates per step",
    )


def _drift(root: Node) -> Markup:
    drift = named(root.at("drift"), INT8)
    if drift is None:
        return _tile("Drift of the hidden state", "not measured")
    notes = [f"over {formatting.count(drift.at('steps').integer())} steps, never reset"]
    if root.at("task").text() == "kws":
        share = formatting.percent(drift.at("agreement").number(), 2)
        notes.append(f"same decision as float at {share} of the steps")
    return _tile(
        "Drift of the hidden state, rms",
        formatting.number(drift.at("hidden_rms").number(), 2),
        *notes,
    )


def _parity(root: Node) -> Markup:
    label = "Same bits in every engine"
    rows = root.at("parity").items()
    if not rows:
        return _tile(label, "not compared", kind="bad")
    engines = list(dict.fromkeys(row.at("engine").text() for row in rows))
    differing = [r.at("engine").text() for r in rows if r.at("differing").integer() > 0]
    if differing:
        return _tile(label, "no", f"different: {', '.join(dict.fromkeys(differing))}", kind="bad")
    steps = formatting.count(min(row.at("steps").integer() for row in rows))
    return _tile(label, "yes", f"{', '.join(engines)} over {steps} steps", kind="good")
