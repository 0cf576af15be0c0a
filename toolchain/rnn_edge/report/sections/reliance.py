"""What a reader may rely on, and what the build says nothing of, from its figures alone."""

from __future__ import annotations

from rnn_edge.report import formatting
from rnn_edge.report.differences import MEASURES, is_chance
from rnn_edge.report.reader import Node
from rnn_edge.report.sections.metrics import (
    FEWEST_RECORDINGS,
    FLOAT,
    INT8,
    NO_ANOMALIES,
    NO_TEST_PART,
    accuracy,
    comparison,
    f1,
    is_judged,
    model_metrics,
)

_FEW_CLIPS = 1000
"""Clips below which an accuracy near 90 % has an interval wider than four points."""


def supports(root: Node) -> list[str]:
    """Return what the figures say, best evidence first."""
    return [*_worth(root), *_rounding(root), *_bits(root), *_saturation(root)]


def limits(root: Node) -> list[str]:
    """Return what the figures cannot say."""
    lines = []
    if root.at("data").at("is_synthetic").flag():
        lines.append("Real input: the data is synthetic.")
    lines.append(
        "Other seeds: every model was trained once, with seed "
        f"{root.at('seed').integer()}; no interval here covers training again."
    )
    if is_judged(root):
        lines += _small_test_part(root)
    lines.append(
        "A device: no time, no stack and no size of code was measured; see Not run for the "
        "engines that did not take part."
    )
    return lines


def _small_test_part(root: Node) -> list[str]:
    metrics = model_metrics(root, INT8)
    if root.at("task").text() == "kws":
        clips = metrics.at("reset").at("clips").integer()
        if clips < _FEW_CLIPS:
            return [f"Small differences: the test part has {formatting.count(clips)} clips."]
        return []
    recordings = metrics.at("recordings").integer()
    if recordings < FEWEST_RECORDINGS:
        few = f"{formatting.count(recordings)} recording{'s' * (recordings != 1)}"
        return [f"Other recordings: the test part has {few}, too few for an interval."]
    return []


def _worth(root: Node) -> list[str]:
    """Return the quality beside what no model at all would reach."""
    if not is_judged(root):
        return [f"The quality of the models is {NO_TEST_PART}."]
    metrics = model_metrics(root, INT8)
    if root.at("task").text() == "kws":
        part = metrics.at("unreset")
        counts = [
            sum(cell.integer() for cell in row.items()) for row in part.at("confusion").items()
        ]
        if not sum(counts):
            return []
        return [
            f"Never reset, int8 is right on {formatting.percent(accuracy(part).value)} of the "
            f"clips; always naming the most frequent class would be right on "
            f"{formatting.percent(max(counts) / sum(counts))}."
        ]
    quality = f1(metrics)
    if quality.value is None:
        return [f"The quality of the alarms is {NO_ANOMALIES}."]
    share = metrics.at("anomalous").integer() / metrics.at("samples").integer()
    return [
        f"int8 finds {metrics.at('events_found').integer()} of {metrics.at('events').integer()} "
        f"events and has an F1 by frame of {formatting.percent(quality.value)}; alarming all the "
        f"time would reach {formatting.percent(2 * share / (1 + share))}."
    ]


def _rounding(root: Node) -> list[str]:
    """Return whether int8 is worth less than float."""
    differences = comparison(root, INT8, FLOAT)
    if not differences:
        return []
    found = {key: is_chance(row) for key, row in differences.items()}
    if any(value is None for value in found.values()):
        return ["Whether int8 is worth less than float cannot be told from so little."]
    real = [key for key, value in found.items() if not value]
    if not real:
        return ["The test part does not tell int8 from float: their difference may be chance."]
    changes = "; ".join(
        f"{MEASURES[key]} {formatting.points(differences[key].at('difference').number())}"
        for key in real
    )
    return [f"On the test part int8 differs from float by more than chance: {changes}."]


def _bits(root: Node) -> list[str]:
    rows = root.at("parity").items()
    if not rows:
        return []
    engines = list(dict.fromkeys(row.at("engine").text() for row in rows))
    differing = {row.at("engine").text() for row in rows if row.at("differing").integer() > 0}
    equal = [engine for engine in engines if engine not in differing]
    lines = []
    if equal:
        lines.append(
            f"What is said of int8 holds for {', '.join(equal)}: every output and state bit was "
            "the same."
        )
    if differing:
        named = ", ".join(engine for engine in engines if engine in differing)
        lines.append(f"It does not hold for {named}: bits differ, see Parity.")
    return lines


def _saturation(root: Node) -> list[str]:
    """Return which tensors lost values, on the calibration streams or on the replay stream."""
    rows = root.at("quantization").at("ranges").at("tensors").items()
    rows += root.at("replayed_ranges").items()
    losing = dict.fromkeys(row.at("tensor").text() for row in rows if row.at("loses").flag())
    if not losing:
        return ["No tensor lost values to saturation, in calibration or on the replay stream."]
    return [f"Values were lost to saturation in {', '.join(losing)}; see Ranges."]
