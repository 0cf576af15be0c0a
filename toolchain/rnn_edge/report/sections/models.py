"""Every model of the build side by side, and what each step of the build changed."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.reader import Node, named
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.metrics import FLOAT, INT8, Score, accuracy, f1
from rnn_edge.report.tables import Column, table

_PARTS = {"unreset": "never reset", "reset": "reset"}

_ANOMALY_ROWS = {
    "precision": "Precision",
    "recall": "Recall",
    "false_alarm_rate": "False alarms, of normal samples",
    "missing_alarm_rate": "Missed, of anomalous samples",
    "auc_pr": "Area under precision and recall",
    "event_f1": "F1 by event",
}

_STEPS = (
    ("Training with the teacher", FLOAT, "float, no teacher"),
    ("Rounding after training", "int8 after training", FLOAT),
    ("Quantization-aware training", INT8, "int8 after training"),
    ("Float to int8", INT8, FLOAT),
)
"""What changed, the model with it, and the model to compare it with."""


def render(root: Node) -> Section:
    """Return the comparison of the models."""
    is_keywords = root.at("task").text() == "kws"
    models = root.at("models").items()
    names = [model.at("name").text() for model in models]
    columns = [Column("Measure", is_number=False)]
    columns += [Column(name, is_main=name == INT8) for name in names]
    metrics = [model.at("metrics") for model in models]
    rows = _keyword_rows(metrics) if is_keywords else _anomaly_rows(metrics)
    return Section(
        "models",
        "Models",
        join(
            table("On the test split; below a value its 95 % interval", columns, rows),
            _changes(root, is_keywords),
        ),
    )


def _keyword_rows(metrics: list[Node]) -> list[list[str]]:
    rows = []
    for key, words in _PARTS.items():
        parts = [m.at(key) if key == "reset" else m.find(key) for m in metrics]
        rows += [
            [f"Accuracy, {words}", *(_scored(accuracy(p)) if p else _none() for p in parts)],
            [
                f"Macro F1, {words}",
                *(formatting.percent(p.at("macro_f1").number()) if p else _none() for p in parts),
            ],
            [
                f"Clips, {words}",
                *(formatting.count(p.at("clips").integer()) if p else _none() for p in parts),
            ],
        ]
    return rows


def _anomaly_rows(metrics: list[Node]) -> list[list[str]]:
    rows: list[list[str]] = [["F1 by sample", *(_scored(f1(m)) for m in metrics)]]
    for key, title in _ANOMALY_ROWS.items():
        shares = [m.at(key).optional_number() for m in metrics]
        rows.append([title, *(formatting.percent(share) for share in shares)])
    for key, title in (("threshold", "Threshold"), ("forecast_rmse", "Forecast error, rms")):
        rows.append([title, *(formatting.number(m.at(key).optional_number()) for m in metrics)])
    for key, title in (
        ("samples", "Samples"),
        ("anomalous", "of these anomalous"),
        ("events", "Events"),
    ):
        rows.append([title, *(formatting.count(m.at(key).integer()) for m in metrics)])
    for key, title in (("events_found", "Events found"), ("false_alarm_runs", "False alarm runs")):
        counts = [m.find(key) for m in metrics]
        if any(counts):
            texts = [formatting.count(c.integer()) if c else formatting.UNDEFINED for c in counts]
            rows.append([title, *texts])
    return rows


def _none() -> str:
    return formatting.UNDEFINED


def _scored(score: Score) -> Markup:
    return join(
        formatting.percent(score.value),
        element("small", formatting.percent_range(score.low, score.high)),
    )


def _changes(root: Node, is_keywords: bool) -> Markup:
    """Return what each step of the build changed, where both models are there."""
    lines: list[str] = []
    for title, with_name, without_name in _STEPS:
        found = named(root.at("models"), with_name), named(root.at("models"), without_name)
        if found[0] is None or found[1] is None:
            continue
        after, before = found[0].at("metrics"), found[1].at("metrics")
        changes = (
            [
                (words, accuracy(after.at(key)), accuracy(before.at(key)))
                for key, words in _PARTS.items()
                if after.find(key) and before.find(key)
            ]
            if is_keywords
            else [("F1", f1(after), f1(before))]
        )
        texts = [t for change in changes if (t := _change(*change))]
        if texts:
            lines.append(
                join(
                    element("b", title),
                    f" ({with_name} against {without_name}): {'; '.join(texts)}.",
                )
            )
    if not lines:
        return join()
    return join(
        element("h3", "What each step changed"),
        bullets(lines),
        paragraph(
            "A change that stays inside the 95 % interval of the model compared with may be chance."
            " Clips or recordings are taken as independent.",
            kind="soft",
        ),
    )


def _change(words: str, after: Score, before: Score) -> str:
    if after.value is None or before.value is None:
        return ""
    place = "inside" if before.contains(after.value) else "outside"
    change = formatting.points(after.value - before.value)
    return f"{words} {change}, {place} the interval"
