"""Section [drift]: how far the state of a stream may drift, and how that is measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from rnn_edge.errors import SpecError
from rnn_edge.spec.messages import show
from rnn_edge.spec.section import Section, Share
from rnn_edge.types.drift import TrendVerdict
from rnn_edge.types.drift_measures import Comparison, Measure, Worse, find_measure

OFF = "off"
"""In place of a limit: this measure has none."""

LARGEST = 1e12
"""No limit is further from 0."""

Limits = Mapping[str, float | str]
"""Limit of each measure, by its name."""

DEFAULT_BUDGET: Limits = {
    "hidden_rms": 0.006,
    "frame_agreement": 0.997,
    "detection_agreement": 0.999,
    "trend": TrendVerdict.PLATEAU.value,
}

DEFAULT_BUDGET_VS_BASELINE: Limits = {
    "hidden_rms": 1.10,
    "frame_agreement": 0.002,
    "detection_agreement": 0.001,
}


class DriftSection(Section):
    """How far the state of a stream may drift, and how that is measured."""

    streams: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Streams that are replayed, by name or path, as in replay.stream; empty for replay.stream
    itself. A budget holds for each of them."""

    steps: Annotated[int, Field(ge=1_000, le=10_000_000)] = 100_000
    """Frames of each stream that `rnn-edge check` replays without a reset."""

    engines: Annotated[tuple[str, ...], Field(min_length=2, max_length=2)] = (
        "c-float",
        "c",
    )
    """The reference, and the engine whose drift is measured against it."""

    smoothing_frames: Annotated[int, Field(ge=1, le=100_000)] = 15
    """Frames over which the probabilities of keywords are averaged before a detection; anomalies
    are detected as [detector] says."""

    threshold: Share = 0.5
    """Averaged probability from which on a keyword is detected."""

    strict: bool = False
    """Whether a measure fails whose confidence interval straddles its limit."""

    budget: Annotated[Limits, Field(validate_default=True)] = DEFAULT_BUDGET
    """Limit of each measure, see drift_gate.md; those not named keep their default, and "off"
    takes one away."""

    budget_vs_baseline: Annotated[Limits, Field(validate_default=True)] = DEFAULT_BUDGET_VS_BASELINE
    """The same against a baseline: 1.10 for at most 10 % more drift, 0.002 for an agreement that
    is at most that much lower."""

    @field_validator("budget", mode="before")
    @classmethod
    def _check_budget(cls, values: Any) -> Any:  # noqa: ANN401 - not yet validated
        return _limits(values, DEFAULT_BUDGET, is_relative=False)

    @field_validator("budget_vs_baseline", mode="before")
    @classmethod
    def _check_budget_vs_baseline(cls, values: Any) -> Any:  # noqa: ANN401 - not yet validated
        return _limits(values, DEFAULT_BUDGET_VS_BASELINE, is_relative=True)

    def limits(self) -> dict[str, float | str]:
        """Return the limits that are not off, in order of the measures' names."""
        return _in_force(self.budget)

    def limits_vs_baseline(self) -> dict[str, float | str]:
        """Return the limits against a baseline that are not off."""
        return _in_force(self.budget_vs_baseline)


def _in_force(limits: Limits) -> dict[str, float | str]:
    return {name: limit for name, limit in limits.items() if limit != OFF}


def _limits(values: Any, defaults: Limits, *, is_relative: bool) -> Any:  # noqa: ANN401
    """Return limits by whole name, filled with the defaults.

    Raises:
        ValueError: With every mistake.
    """
    if not isinstance(values, Mapping):
        return values
    found = dict(_flat(values))
    mistakes = [m for m in (_mistake(k, v, is_relative) for k, v in found.items()) if m]
    if mistakes:
        raise ValueError("; ".join(mistakes))
    limits = {**defaults, **found}
    return {k: v if isinstance(v, str) else float(v) for k, v in limits.items()}


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield limits by whole name: TOML makes a table of each part of state.h0.rms."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _mistake(name: str, limit: object, is_relative: bool) -> str:
    """Return what is wrong with a limit, or an empty string."""
    try:
        measure, _ = find_measure(name)
    except SpecError as error:
        return error.message.removesuffix(".")
    if is_relative and measure.comparison is Comparison.NONE:
        return f"{name} = {show(limit)}; {name} has no number to compare with a baseline's"
    if limit == OFF:
        return ""
    if measure.worse is Worse.GROWTH:
        expected, is_valid = f'"{TrendVerdict.PLATEAU}"', limit == TrendVerdict.PLATEAU
    else:
        least, most = _bounds(measure, is_relative)
        is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
        is_valid = is_number and least <= float(limit) <= most  # type: ignore[arg-type]
        expected = "a number"
        if least > -LARGEST:
            expected += f" from {least:g}" + (f" to {most:g}" if most < LARGEST else "")
    return "" if is_valid else f'{name} = {show(limit)}; expected {expected} or "{OFF}"'


def _bounds(measure: Measure, is_relative: bool) -> tuple[float, float]:
    """Return the least and the largest limit that says something about a measure.

    Beyond them nothing or everything is within, which nobody means: 99.7 for a share is a slip.
    """
    low, high = measure.span
    if is_relative and measure.comparison is Comparison.RATIO:
        low, high = 0.0, LARGEST
    elif is_relative:
        low, high = low - high, high - low
    return max(low, -LARGEST), min(high, LARGEST)
