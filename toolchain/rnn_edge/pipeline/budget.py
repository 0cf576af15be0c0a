"""What a budget says of a drift result: limit by limit, and all in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rnn_edge.errors import BudgetError, DataError
from rnn_edge.types.drift import Estimate, TrendVerdict
from rnn_edge.types.drift_measures import (
    Comparison,
    Reading,
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
