"""What a model is worth on the test part, and what rounding took away."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.card.blocks import Block, Items, Part, Table, Words
from rnn_edge.report.differences import MEASURES, short_text
from rnn_edge.report.reader import Node, named
from rnn_edge.report.sections.metrics import (
    FLOAT,
    INT8,
    NO_TEST_PART,
    Score,
    accuracy,
    comparison,
    f1,
    is_judged,
    model_metrics,
)

DAY_S = 86_400.0
SHIPPED_FLOAT = "float, fine-tuned"
"""The float model that the integers were made of."""

_NAMES = {INT8: "int8, as exported", SHIPPED_FLOAT: "float, of the same weights", FLOAT: "float"}
_SHARES = (
    ("precision", "Precision by frame"),
    ("recall", "Recall by frame"),
    ("auc_pr", "Area under precision and recall"),
    ("event_f1", "F1 by event"),
    ("false_alarm_rate", "Normal frames in alarm"),
    ("missing_alarm_rate", "Anomalous frames without alarm"),
)


def part(root: Node) -> Part:
    """Return the metrics of int8 and float with their intervals."""
    title = "Quality on the test part"
    if not is_judged(root):
        return Part(title, (Words(f"The quality is {NO_TEST_PART}."),))
    names = [name for name in _NAMES if named(root.at("models"), name) is not None]
    is_keywords = root.at("task").text() == "kws"
    rows = _keywords(root, names) if is_keywords else _anomalies(root, names)
    blocks: list[Block] = [
        Table(
            "With 95 % intervals" + ("" if is_keywords else " over recordings"),
            ("Measure", *(_NAMES[name] for name in names)),
            tuple(rows),
        )
    ]
    differences = [
        f"int8 against float, {MEASURES[key]}: {short_text(row)}"
        for key, row in comparison(root, INT8, FLOAT).items()
    ]
    if differences:
        blocks.append(Items(tuple(differences)))
    return Part(title, tuple(blocks))


def quantization(root: Node) -> Part:
    """Return how far int8 is from float, and which engines gave its bits."""
    lines = []
    drift = named(root.at("drift"), INT8)
    if drift is not None:
        lines.append(
            f"Drift of the hidden state over {formatting.count(drift.at('steps').integer())} "
            f"steps that are never reset: {formatting.number(drift.at('hidden_rms').number(), 2)} "
            "rms, where values lie in −1 to 1"
        )
        agreement = drift.at("agreement").optional_number()
        if agreement is not None and root.at("task").text() == "kws":
            lines.append(f"Same decision as float at {formatting.percent(agreement, 2)} of them")
    rows = root.at("parity").items()
    engines = list(dict.fromkeys(row.at("engine").text() for row in rows))
    differing = {row.at("engine").text() for row in rows if row.at("differing").integer() > 0}
    for engine in engines:
        said = "other bits" if engine in differing else "the same bits at every step"
        lines.append(f"Engine {engine}: {said} as the integer reference")
    lines.append("Longer streams and budgets: rnn-edge drift, rnn-edge check")
    return Part("Drift and parity", (Items(tuple(lines)),))


def _score(score: Score) -> str:
    text = formatting.percent(score.value)
    if score.interval is None:
        return text
    return f"{text} ({formatting.percent_range(*score.interval)})"


def _keywords(root: Node, names: list[str]) -> list[tuple[str, ...]]:
    metrics = [model_metrics(root, name) for name in names]
    rows = [
        (words, *(_score(accuracy(each.at(key))) for each in metrics))
        for key, words in (
            ("unreset", "Accuracy, state never reset"),
            ("reset", "Accuracy, reset at each clip"),
        )
    ]
    f1s = (formatting.percent(each.at("unreset").at("macro_f1").number()) for each in metrics)
    clips = (formatting.count(each.at("unreset").at("clips").integer()) for each in metrics)
    return [*rows, ("Mean F1 of the classes, never reset", *f1s), ("Clips", *clips)]


def _anomalies(root: Node, names: list[str]) -> list[tuple[str, ...]]:
    metrics = [model_metrics(root, name) for name in names]
    rate = root.at("frame_rate_hz").number()
    rows = [("F1 by frame, no point adjustment", *(_score(f1(each)) for each in metrics))]
    rows += [
        (title, *(formatting.percent(each.at(key).optional_number()) for each in metrics))
        for key, title in _SHARES
    ]
    found = [f"{m.at('events_found').integer()} of {m.at('events').integer()}" for m in metrics]
    rows.append(("Events found", *found))
    rows.append(("False alarms, each counted once", *(_false_runs(m, rate) for m in metrics)))
    rows.append(
        (
            "Recordings, frames",
            *(
                f"{formatting.count(m.at('recordings').integer())}, "
                f"{formatting.count(m.at('samples').integer())}"
                for m in metrics
            ),
        )
    )
    return rows


def _false_runs(metrics: Node, rate_hz: float) -> str:
    runs, frames = metrics.at("false_alarm_runs").integer(), metrics.at("samples").integer()
    measured = metrics.find("false_alarms_per_day")
    if measured is not None:
        interval = metrics.find("false_alarms_per_day_interval")
        ends = ""
        if interval is not None:
            low, high = interval.pair()
            ends = f", {formatting.number(low)} to {formatting.number(high)}"
        rate = formatting.number(measured.number())
        return f"{formatting.count(runs)} ({rate} per day{ends})"
    normal = frames - metrics.at("anomalous").integer()
    if not normal:
        return formatting.count(runs)
    per_day = runs / (normal / rate_hz / DAY_S)
    return f"{formatting.count(runs)} ({formatting.number(per_day)} per day of normal frames)"
