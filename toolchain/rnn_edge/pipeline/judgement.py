"""A drift result judged by the budget of a spec, and against a baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rnn_edge.pipeline.budget import Baseline, BudgetCheck, BudgetRow, BudgetVerdict
from rnn_edge.pipeline.pairing import paired
from rnn_edge.spec import DriftSection
from rnn_edge.types.drift import Estimate, TrendVerdict
from rnn_edge.types.drift_measures import (
    Comparison,
    Reading,
    Worse,
    find_measure,
    read_measure,
)


def judge(
    result: Mapping[str, Any],
    section: DriftSection,
    baseline: Baseline | None = None,
    planned: Sequence[str] = (),
) -> BudgetCheck:
    """Judge every stream of a drift result.

    Args:
        result: JSON of a `DriftResult`.
        section: Holds the budget.
        baseline: What the drift is compared with; None leaves those limits out.
        planned: Streams that were to be replayed; one that is not in the result fails.

    Raises:
        DataError: If the baseline does not have the same streams.
    """
    begun = [stream["stream"] for stream in result["streams"]]
    stopped = [stream["stream"] for stream in result["streams"] if stream["is_partial"]]
    rows = [
        row
        for stream in result["streams"]
        for row in _stream_rows(
            stream,
            result,
            section,
            # A stopped replay fails as such and is comparable with nothing.
            None if stream["is_partial"] else baseline,
        )
    ]
    return BudgetCheck(
        result=result,
        rows=tuple(rows),
        baseline=baseline.name if baseline else "",
        baseline_result=baseline.result if baseline else None,
        notes=tuple(_notes(result, section, baseline)),
        is_strict=section.strict,
        unfinished=tuple(dict.fromkeys([*stopped, *(n for n in planned if n not in begun)])),
    )


def _stream_rows(
    stream: Mapping[str, Any],
    result: Mapping[str, Any],
    section: DriftSection,
    baseline: Baseline | None,
) -> Iterator[BudgetRow]:
    before = baseline.stream(stream["stream"], stream["steps"]) if baseline else None
    # Frames of other recordings are no pairs.
    is_same = (
        baseline is not None
        and before is not None
        and result.get("source") == baseline.result.get("source")
        and stream["description"] == before["description"]
    )

    def earlier(name: str) -> Reading | None:
        if baseline is None or before is None:
            return None
        return read_measure(name, before, baseline.result)

    for name, limit in section.limits().items():
        measure, _ = find_measure(name)
        value = read_measure(name, stream, result)
        is_least = measure.worse is Worse.LOWER
        yield BudgetRow(
            stream=stream["stream"],
            measure=name,
            unit=measure.unit,
            comparison=Comparison.NONE,
            value=value,
            baseline=earlier(name),
            judged=value,
            limit=limit,
            is_least=is_least,
            verdict=_verdict(value, limit, is_least=is_least),
        )
    if baseline is None:
        return
    for name, limit in section.limits_vs_baseline().items():
        measure, tensor = find_measure(name)
        value, other = read_measure(name, stream, result), earlier(name)
        judged = None
        if isinstance(value, Estimate) and isinstance(other, Estimate):
            judged = _compared(value, other, measure.comparison, measure.worse)
            in_pairs = paired(measure, tensor, stream, before) if before and is_same else None
            if in_pairs is not None:
                judged = _narrowed(judged, in_pairs, measure.comparison)
        yield BudgetRow(
            stream=stream["stream"],
            measure=name,
            unit="" if measure.comparison is Comparison.RATIO else measure.unit,
            comparison=measure.comparison,
            value=value,
            baseline=other,
            judged=judged,
            limit=limit,
            is_least=False,
            verdict=_verdict(judged, limit, is_least=False),
        )


def _verdict(judged: Reading | None, limit: float | str, *, is_least: bool) -> BudgetVerdict:
    """Return what a limit says; outside is only what the whole interval is."""
    if judged is None:
        return BudgetVerdict.NOT_MEASURED
    if isinstance(judged, TrendVerdict):
        return {
            TrendVerdict.PLATEAU: BudgetVerdict.WITHIN,
            TrendVerdict.GROWTH: BudgetVerdict.OUTSIDE,
            TrendVerdict.UNDECIDED: BudgetVerdict.UNSURE,
        }[judged]
    bound = float(limit)
    best, worst = (judged.high, judged.low) if is_least else (judged.low, judged.high)
    sign = -1.0 if is_least else 1.0
    if sign * worst <= sign * bound:
        return BudgetVerdict.WITHIN
    return BudgetVerdict.OUTSIDE if sign * best > sign * bound else BudgetVerdict.UNSURE


def _compared(
    value: Estimate, baseline: Estimate, comparison: Comparison, worse: Worse
) -> Estimate:
    """Return a ratio to a baseline, or how much worse than it a value is.

    The two errors are put together as if they were independent, which makes the interval wider
    than it is on the same frames.
    """
    if comparison is Comparison.RATIO:
        if baseline.value <= 0.0:
            # None at all stays none; anything else is infinitely more.
            ratio = 0.0 if value.value <= 0.0 else math.inf
            return Estimate(ratio, ratio, ratio)
        ratio = value.value / baseline.value
        if ratio <= 0.0:
            return Estimate(0.0, 0.0, value.high / baseline.value)
        down = math.hypot(_log(value.value, value.low), _log(baseline.high, baseline.value))
        up = math.hypot(_log(value.high, value.value), _log(baseline.value, baseline.low))
        return Estimate(ratio, ratio * math.exp(-down), ratio * math.exp(up))
    if worse is Worse.LOWER:
        value, baseline = baseline, value
    difference = value.value - baseline.value
    down = math.hypot(value.value - value.low, baseline.high - baseline.value)
    up = math.hypot(value.high - value.value, baseline.value - baseline.low)
    return Estimate(difference, difference - down, difference + up)


def _narrowed(judged: Estimate, in_pairs: Estimate, comparison: Comparison) -> Estimate:
    """Return a comparison with the interval that pairs of stretches give it.

    Its value stays: that of the pairs leaves out the end of the stream, where it fills no stretch.
    """
    if comparison is Comparison.RATIO:
        scale = judged.value / in_pairs.value
        return Estimate(judged.value, in_pairs.low * scale, in_pairs.high * scale)
    shift = judged.value - in_pairs.value
    return Estimate(judged.value, in_pairs.low + shift, in_pairs.high + shift)


def _log(above: float, below: float) -> float:
    """Return ln(above / below); an interval that reaches zero has no end on a ratio's scale."""
    return math.log(above / below) if below > 0.0 else math.inf


def _notes(
    result: Mapping[str, Any], section: DriftSection, baseline: Baseline | None
) -> Iterator[str]:
    if baseline is None:
        if section.limits_vs_baseline():
            yield "Without --baseline nothing is compared with one."
        return
    for key in ("reference", "engine", "source"):
        now, then = result.get(key), baseline.result.get(key)
        if now != then:
            yield f"The baseline was measured with another {key}: {then}; now it is {now}."
