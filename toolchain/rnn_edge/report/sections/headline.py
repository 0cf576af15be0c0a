"""What one wants to know first: quality, size, drift, agreement, and what that is worth."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.differences import short_text
from rnn_edge.report.markup import Markup, bullets, element, join
from rnn_edge.report.reader import Node, named
from rnn_edge.report.sections.base import Section
from rnn_edge.report.sections.metrics import (
    FLOAT,
    INT8,
    NO_ANOMALIES,
    NO_TEST_PART,
    Score,
    accuracy,
    comparison,
    f1,
    is_judged,
    model_metrics,
)
from rnn_edge.report.sections.parity import is_within
from rnn_edge.report.sections.reliance import limits, supports
from rnn_edge.report.tiles import tile, tiles
from rnn_edge.report.work import c_macs


def render(root: Node) -> Section:
    """Return the tiles at the top of the page, and what may be relied on."""
    if not is_judged(root):
        quality = [tile("Quality, int8", "–", NO_TEST_PART)]
    else:
        quality = _keywords(root) if root.at("task").text() == "kws" else _anomalies(root)
    return Section(
        "summary",
        "Summary",
        join(
            tiles(
                *quality,
                _parity(root),
                _drift(root),
                _flash(root),
                _memory(root),
                _work(root),
            ),
            element("h3", "What this build shows"),
            bullets(supports(root)),
            element("h3", "What it does not show"),
            bullets(limits(root)),
        ),
    )


def _compared(label: str, int8: Score, reference: Score, difference: Node | None) -> Markup:
    notes = []
    if int8.interval is not None:
        notes.append(f"{formatting.percent_range(*int8.interval)} (95 % interval)")
    notes.append(f"float {formatting.percent(reference.value)}")
    if difference is not None:
        notes.append(f"int8 against float {short_text(difference)}")
    return tile(label, formatting.percent(int8.value), *notes)


def _keywords(root: Node) -> list[Markup]:
    int8, reference = model_metrics(root, INT8), model_metrics(root, FLOAT)
    differences = comparison(root, INT8, FLOAT)
    return [
        _compared(
            f"Accuracy, int8, {words}",
            accuracy(int8.at(key)),
            accuracy(reference.at(key)),
            differences.get(key),
        )
        for key, words in (("unreset", "never reset"), ("reset", "reset"))
    ]


def _anomalies(root: Node) -> list[Markup]:
    int8, reference = model_metrics(root, INT8), model_metrics(root, FLOAT)
    quality = f1(int8)
    if quality.value is None:
        first = tile("F1 by frame, int8", "–", NO_ANOMALIES)
    else:
        difference = comparison(root, INT8, FLOAT).get("f1")
        first = _compared("F1 by frame, int8", quality, f1(reference), difference)
    if not int8.at("is_labelled").flag():
        shares = [formatting.percent(m.at("alarm_rate").number()) for m in (int8, reference)]
        return [first, tile("Alarms, int8", shares[0], f"of all frames; float {shares[1]}")]
    return [first, _false_alarms(int8, reference)]


def _false_alarms(int8: Node, reference: Node) -> Markup:
    notes = []
    for key, words in (
        ("false_alarm_rate", "of the normal frames"),
        ("missing_alarm_rate", "of the anomalous frames are missed"),
    ):
        own, other = (m.at(key).optional_number() for m in (int8, reference))
        if own is None:
            continue
        start = "" if key == "false_alarm_rate" else f"{formatting.percent(own)} "
        notes.append(f"{start}{words}; float {formatting.percent(other)}")
    value = formatting.percent(int8.at("false_alarm_rate").optional_number())
    return tile("False alarms, int8", value, *notes)


def _flash(root: Node) -> Markup:
    constants = root.at("memory").at("constants").integer()
    return tile(
        "Constants, flash",
        formatting.size(constants),
        f"{formatting.count(constants)} bytes of weights, biases and multipliers in the C",
        "code comes on top, not measured",
    )


def _memory(root: Node) -> Markup:
    memory = root.at("memory")
    state, scratch = (memory.at(key).integer() for key in ("state", "scratch"))
    buffers = memory.at("frame").integer() + memory.at("result").integer()
    return tile(
        "State and scratch, RAM",
        formatting.size(state + scratch),
        f"for each stream: {formatting.count(state)} B carried, {formatting.count(scratch)} B "
        "within a step",
        f"frame, result ({formatting.count(buffers)} B) and stack come on top",
    )


def _work(root: Node) -> Markup:
    macs, rate = c_macs(root), root.at("frame_rate_hz").number()
    whole = root.at("macs").integer()
    pruned = f" in the C, of {formatting.count(whole)} with zeros" if macs < whole else ""
    return tile(
        "Work per step",
        f"{formatting.count(macs)} MAC",
        f"multiply-accumulates{pruned}; the time on a device is not measured",
        f"{formatting.count(round(macs * rate))} MAC a second at {rate:.4g} steps a second",
    )


def _drift(root: Node) -> Markup:
    drift = named(root.at("drift"), INT8)
    if drift is None:
        return tile("Drift of the hidden state", "not measured")
    notes = [
        f"where values lie in −1 to 1, over {formatting.count(drift.at('steps').integer())} "
        "steps, never reset"
    ]
    if root.at("task").text() == "kws":
        share = formatting.percent(drift.at("agreement").number(), 2)
        notes.append(f"same decision as float at {share} of the steps")
    return tile(
        "Drift of the hidden state, rms",
        formatting.number(drift.at("hidden_rms").number(), 2),
        *notes,
    )


def _parity(root: Node) -> Markup:
    label = "Same bits in every engine that ran"
    rows = root.at("parity").items()
    if not rows:
        return tile(label, "not compared", *_float_engines(root), kind="bad")
    engines = list(dict.fromkeys(row.at("engine").text() for row in rows))
    differing = [r.at("engine").text() for r in rows if r.at("differing").integer() > 0]
    if differing:
        return tile(label, "no", f"different: {', '.join(dict.fromkeys(differing))}", kind="bad")
    steps = formatting.count(min(row.at("steps").integer() for row in rows))
    notes = [f"int8, {', '.join(engines)} over {steps} steps", *_float_engines(root)]
    return tile(label, "yes", *notes, kind="good")


def _float_engines(root: Node) -> list[str]:
    """Return a note for every float engine."""
    worst: dict[str, float] = {}
    far: set[str] = set()
    for row in root.at("float_engines").items():
        name = row.at("engine").text()
        worst[name] = max(worst.get(name, 0.0), row.at("maximum").number())
        if not is_within(row):
            far.add(name)
    return [
        f"{name}: {'off' if name in far else 'within'} {'by ' * (name in far)}"
        f"{formatting.number(value, 2)} {'from' if name in far else 'of'} float"
        for name, value in worst.items()
    ]
