"""Every model of the build side by side, and what each step of the build changed."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.differences import MEASURES, long_text
from rnn_edge.report.markup import Markup, bullets, element, join, paragraph
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.metrics import (
    INT8,
    NO_ANOMALIES,
    NO_TEST_PART,
    Score,
    accuracy,
    f1,
    is_judged,
)
from rnn_edge.report.tables import Column, table

_PARTS = ("unreset", "reset")

_MEANINGS = {
    "teacher": "the large model that the student learns from; not exported",
    "float": "the student before rounding",
    "float, no teacher": "the same student, trained without the teacher",
    "float, fine-tuned": "the student after quantization-aware training, before rounding",
    "int8 after training": "the student rounded without fine-tuning",
    INT8: "what is exported: fine-tuned and rounded",
}

_SHARES = {
    "precision": "Precision",
    "recall": "Recall",
    "alarm_rate": "Alarms, of all frames",
    "false_alarm_rate": "False alarms, of normal frames",
    "missing_alarm_rate": "Missed, of anomalous frames",
    "auc_pr": "Area under precision and recall",
    "event_f1": "F1 by event",
}


def render(root: Node) -> Section:
    """Return the comparison of the models."""
    if not is_judged(root):
        return Section("models", "Models", paragraph(f"Quality {NO_TEST_PART}."))
    is_keywords = root.at("task").text() == "kws"
    models = root.at("models").items()
    names = [model.at("name").text() for model in models]
    columns = [Column("Measure", is_number=False)]
    columns += [Column(name, is_main=name == INT8) for name in names]
    metrics = [model.at("metrics") for model in models]
    rows = _keyword_rows(metrics) if is_keywords else _anomaly_rows(metrics)
    caption = _keyword_caption(metrics) if is_keywords else _anomaly_caption(metrics)
    meanings: list[str] = [
        join(element("b", name), f": {_MEANINGS[name]}") for name in names if name in _MEANINGS
    ]
    return Section(
        "models",
        "Models",
        join(table(caption, columns, rows), *_unknown(metrics), bullets(meanings), _changes(root)),
    )


def _keyword_caption(metrics: list[Node]) -> str:
    clips = formatting.count(metrics[0].at("reset").at("clips").integer())
    return f"On {clips} clips of the test part; below a value its 95 % interval"


def _keyword_rows(metrics: list[Node]) -> list[list[str]]:
    rows = []
    for key in _PARTS:
        words = MEASURES[key]
        parts = [m.at(key) if key == "reset" else m.find(key) for m in metrics]
        rows += [
            [f"Accuracy, {words}", *(_scored(accuracy(p)) if p else _none() for p in parts)],
            [
                f"Macro F1, {words}",
                *(formatting.percent(p.at("macro_f1").number()) if p else _none() for p in parts),
            ],
        ]
    return rows


def _anomaly_caption(metrics: list[Node]) -> str:
    recordings, frames, anomalous, events = (
        metrics[0].at(key).integer() for key in ("recordings", "samples", "anomalous", "events")
    )
    return (
        f"On {formatting.count(recordings)} recording{'s' * (recordings != 1)} of the test part: "
        f"{formatting.count(frames)} frames, {formatting.count(anomalous)} of them labelled "
        f"anomalous in {formatting.count(events)} event{'s' * (events != 1)}; below a value its "
        "95 % interval over recordings"
    )


def _anomaly_rows(metrics: list[Node]) -> list[list[str]]:
    is_labelled = any(m.at("is_labelled").flag() for m in metrics)
    scores = [f1(m) for m in metrics]
    rows: list[list[str]] = []
    if any(score.value is not None for score in scores):
        rows.append(["F1 by frame", *map(_scored, scores)])
    for key, title in _SHARES.items():
        shares = [m.at(key).optional_number() for m in metrics]
        is_said = key == "alarm_rate" and is_labelled
        if any(share is not None for share in shares) and not is_said:
            rows.append([title, *map(formatting.percent, shares)])
    if any(m.at("events").integer() for m in metrics):
        found = [formatting.count(m.at("events_found").integer()) for m in metrics]
        rows.append(["Events found", *found])
    for key, title in (
        ("threshold", "Threshold of the score"),
        ("forecast_rmse", "Forecast error in normal operation, rms, in standard deviations"),
    ):
        rows.append([title, *(formatting.number(m.at(key).optional_number()) for m in metrics)])
    runs = [formatting.count(m.at("false_alarm_runs").integer()) for m in metrics]
    rows.append(["False alarms, counted as runs" if is_labelled else "Alarms, as runs", *runs])
    rates = [m.find("false_alarms_per_day") for m in metrics]
    if any(rates):
        cells = (_rate(m) if rate else _none() for m, rate in zip(metrics, rates, strict=True))
        rows.append(["False alarms a day of normal operation", *cells])
    return rows


def _rate(metrics: Node) -> str:
    low, high = metrics.at("false_alarms_per_day_interval").numbers()
    return join(
        formatting.number(metrics.at("false_alarms_per_day").number()),
        element("small", f"{formatting.number(low)} to {formatting.number(high)}"),
    )


def _unknown(metrics: list[Node]) -> list[Markup]:
    """Return what is said where no anomaly is labelled."""
    if not metrics or metrics[0].find("is_labelled") is None:
        return []
    if any(m.at("f1").value is not None for m in metrics):
        return []
    return [paragraph(f"Precision, recall and F1 {NO_ANOMALIES} in the test part.")]


def _none() -> str:
    return formatting.UNDEFINED


def _scored(score: Score) -> str:
    if score.value is None:
        return _none()
    if score.interval is None:
        return formatting.percent(score.value)
    return join(
        formatting.percent(score.value),
        element("small", formatting.percent_range(*score.interval)),
    )


def _changes(root: Node) -> Markup:
    """Return what each step of the build changed, where both models were judged."""
    lines: list[str] = []
    for step in root.at("comparisons").items():
        rows = step.at("rows").items()
        if rows:
            pair = f"{step.at('with').text()} against {step.at('without').text()}"
            body = [join(element("li", f"{_title(row)} {long_text(row)}")) for row in rows]
            lines.append(
                join(element("b", step.at("title").text()), f" ({pair})", element("ul", *body))
            )
    if not lines:
        return join()
    is_keywords = root.at("task").text() == "kws"
    return join(
        element("h3", "What each step changed"),
        bullets(lines),
        paragraph(
            f"{_CLIP_TEST if is_keywords else _RECORDING_TEST} All of it is about this one "
            "training run (one seed) and says nothing of another.",
            kind="soft",
        ),
    )


_CLIP_TEST = (
    "Both models hear the same clips, so that only clips on which they differ count: gained are "
    "those that the second has wrong and the first right. p is that of the exact McNemar test; "
    "the interval is Agresti and Min's for matched pairs. Clips are taken as independent."
)
_RECORDING_TEST = (
    "Both models are judged on the same recordings. The interval resamples recordings, the same "
    "ones for both (paired bootstrap); p swaps the results of both, recording by recording, and "
    "counts how often chance alone does as much. Over few recordings such an interval is too "
    "narrow: the verdict follows p."
)


def _title(row: Node) -> str:
    key = row.at("measure").text()
    if key not in MEASURES:
        row.at("measure").fail(" or ".join(map(repr, MEASURES)))
    return f"{MEASURES[key]}:"
