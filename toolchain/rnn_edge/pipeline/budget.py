"""A drift result judged by the budget of a spec, and against a baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rnn_edge.errors import BudgetError, DataError
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


class BudgetVerdict(StrEnum):
    """What a limit says of a measure."""

    WITHIN = "within"
    OUTSIDE = "outside"
    UNSURE = "unsure"
    """The interval straddles the limit, or it is not decided where the error goes."""
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Baseline:
    """What a drift is compared with.

    Attributes:
        name: Bundle or file that it comes from.
        result: JSON of a `DriftResult`.
    """

    name: str
    result: Mapping[str, Any]

    def stream(self, name: str, steps: int) -> Mapping[str, Any]:
        """Return the JSON of a stream.

        Args:
            name: Of the stream.
            steps: Its length; errors over another one are not comparable.

        Raises:
            DataError: If there is none of that length.
        """
        streams: dict[str, Mapping[str, Any]] = {
            stream["stream"]: stream for stream in self.result["streams"]
        }
        if name not in streams:
            raise DataError(
                f"Baseline {self.name} has no stream {name}; it has {', '.join(streams)}.",
                "measure the baseline anew, or name its streams with --streams",
            )
        found = streams[name]["steps"]
        if found != steps:
            raise DataError(
                f"Baseline {self.name}: stream {name} has {found:,} steps; expected {steps:,}.",
                f"measure the baseline anew, or check with --steps {found}",
            )
        return streams[name]


@dataclass(frozen=True)
class BudgetRow:
    """A measure of one stream and one limit.

    Attributes:
        stream: Name of the stream.
        measure: Key of the measure.
        unit: Of the value.
        comparison: "none" for a limit on the value itself; "ratio" or "difference" for one on
            how it compares with the baseline.
        value: What was measured, or None.
        baseline: The same of the baseline, or None without one.
        judged: What the limit is for: the value, its ratio to the baseline, or how much worse
            than the baseline it is; None where that was not measured.
        limit: The limit.
        is_least: Whether the limit is the least allowed, not the most.
        verdict: What the limit says.
    """

    stream: str
    measure: str
    unit: str
    comparison: Comparison
    value: Reading | None
    baseline: Reading | None
    judged: Reading | None
    limit: float | str
    is_least: bool
    verdict: BudgetVerdict

    def to_json(self) -> dict[str, Any]:
        """Return plain values; a trend is a text, everything else value, low and high."""
        readings = {"value": self.value, "baseline": self.baseline, "judged": self.judged}
        return {
            "stream": self.stream,
            "measure": self.measure,
            "unit": self.unit,
            "comparison": self.comparison.value,
            **{key: _plain(reading) for key, reading in readings.items()},
            "limit": self.limit,
            "is_least": self.is_least,
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True)
class BudgetCheck:
    """What a budget says of a drift result.

    Attributes:
        result: JSON of the `DriftResult`.
        rows: Stream by stream, limit by limit.
        baseline: Name of the baseline, or "" without one.
        baseline_result: JSON of its result, or None.
        notes: What was not judged, and why.
        is_strict: Whether an unsure measure fails.
        unfinished: Streams whose replay was stopped before the end, or never begun.
    """

    result: Mapping[str, Any]
    rows: tuple[BudgetRow, ...]
    baseline: str
    baseline_result: Mapping[str, Any] | None
    notes: tuple[str, ...]
    is_strict: bool
    unfinished: tuple[str, ...]

    def fails(self, row: BudgetRow) -> bool:
        """Return whether a row alone makes the check fail."""
        if row.verdict is BudgetVerdict.UNSURE:
            return self.is_strict
        return row.verdict is not BudgetVerdict.WITHIN

    @property
    def failed(self) -> tuple[BudgetRow, ...]:
        """Rows that make the check fail."""
        return tuple(row for row in self.rows if self.fails(row))

    @property
    def is_passed(self) -> bool:
        """Whether the drift is within its budget."""
        return not self.failed and not self.unfinished

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "rows": [{**row.to_json(), "is_failure": self.fails(row)} for row in self.rows],
            "baseline": self.baseline or None,
            "baseline_result": self.baseline_result,
            "notes": list(self.notes),
            "is_strict": self.is_strict,
            "unfinished": list(self.unfinished),
            "is_passed": self.is_passed,
            "result": self.result,
        }

    def refuse_failures(self) -> None:
        """Raise if anything is outside its budget.

        Raises:
            BudgetError: Naming every such measure, with value and limit.
        """
        if self.is_passed:
            return
        complaints = [_complaint(row) for row in self.failed]
        complaints += [f"stream {name} was stopped before its end" for name in self.unfinished]
        hint = (
            '"rnn-edge drift BUNDLE" shows where the drift comes from; docs/drift_gate.md says '
            "what each measure means and how a budget is chosen"
        )
        if not self.failed:
            hint = "run the check again, with fewer --steps if it takes too long"
        raise BudgetError("Drift budget: " + "; ".join(complaints) + ".", hint)


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


def _plain(reading: Reading | None) -> Any:  # noqa: ANN401 - JSON has no narrower type
    if reading is None or isinstance(reading, TrendVerdict):
        return reading if reading is None else reading.value
    return asdict(reading)


def _complaint(row: BudgetRow) -> str:
    """Return what is wrong with a measure, as a part of a sentence."""
    subject = f"{row.measure} on {row.stream}"
    if row.verdict is BudgetVerdict.NOT_MEASURED:
        return f"{subject} was not measured"
    if not isinstance(row.judged, Estimate):
        return f"{subject} is {row.judged}; expected {row.limit}"
    value = _figure(row.judged)
    bound = f"{'at least' if row.is_least else 'at most'} {row.limit:g}"
    if row.comparison is Comparison.RATIO:
        return f"{subject} is {value} times the baseline's; expected {bound}"
    if row.comparison is Comparison.DIFFERENCE:
        return f"{subject} is worse than the baseline's by {value}; expected {bound}"
    return f"{subject} is {value}; expected {bound}"


def _figure(estimate: Estimate) -> str:
    if estimate.low == estimate.high:
        return f"{estimate.value:.6g}"
    return f"{estimate.value:.6g} ({estimate.low:.6g} to {estimate.high:.6g})"
