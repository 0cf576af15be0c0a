"""Two engines side by side over a stream of any length, each on its own state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rnn_edge.drift.alarms import RunningAlarms
from rnn_edge.drift.decisions import DecisionRule, RunningDecisions
from rnn_edge.drift.interruption import undivided
from rnn_edge.drift.running import STRETCHES, RunningError, root_estimate
from rnn_edge.errors import DataError, EngineError
from rnn_edge.quantize import quantize_input
from rnn_edge.statistics import pooled_mean, related_mean
from rnn_edge.streams import Chunk, FrameStream
from rnn_edge.types import Array, QuantizedModel, Trace
from rnn_edge.types.drift import DriftResult, Estimate, StreamDrift

FEWEST_STEPS = 256
"""A shorter stream says nothing about where an error goes."""

DETAILED_STEPS = 65_536
"""Steps at most, evenly spaced, that are looked into."""

ALL_STREAMS = "all streams"


class Runs(Protocol):
    """What a closed loop needs of an engine."""

    def run(self, x: Array) -> Trace:
        """Advance by T frames x (T, D); return outputs and states after each."""


class Details(Protocol):
    """What looks into single steps, given the states before them."""

    def update(
        self, x: Array, float_before: Mapping[str, Array], integer_before: Mapping[str, Array]
    ) -> None:
        """Add N steps: x float32 (N, D), states (N, H)."""

    def merge(self, other: Details) -> None:
        """Add what another one has seen."""

    def to_json(self) -> dict[str, object]:
        """Return plain values."""


@dataclass(frozen=True, eq=False)
class Side:
    """An engine at the start of a stream.

    Attributes:
        name: Of the engine.
        engine: It carries its state from call to call.
        model: The model whose integers it takes and gives; None for an engine in real units.
    """

    name: str
    engine: Runs
    model: QuantizedModel | None

    def run(self, frames: Array) -> tuple[Trace, dict[str, Array], Array]:
        """Advance by frames float32 (T, D).

        Returns:
            The trace as the engine gives it, and states and outputs in real units, by name.

        Raises:
            EngineError: If a value is not a finite number.
        """
        if self.model is None:
            trace = self.engine.run(frames)
            for name, value in {"y": trace.outputs, **trace.states}.items():
                if not np.isfinite(value).all():
                    raise EngineError(
                        f"Engine {self.name}: {name} is not finite; expected numbers.",
                        "look for values that are not finite in the frames or in the weights",
                    )
            return trace, dict(trace.states), trace.outputs
        trace = self.engine.run(quantize_input(frames, self.model.input_exponent))
        states = {
            name: trace.states[name] * 2.0**exponent
            for name, exponent in self.model.state_exponents.items()
        }
        return trace, states, trace.outputs * 2.0**self.model.output_exponent


@dataclass(eq=False)
class RunningDrift:
    """What a replay has found so far; sums only, whatever the stream's length.

    Attributes:
        stream: Name of the stream.
        description: How it is made.
        planned_steps: Its length.
        errors: A running error for y and each state, by name.
        decisions: Counts of decisions.
        details: What looked into single steps, or None.
        alarms: False alarms, or None where nothing is known of the frames.
        steps: Frames seen.
        streams: Streams put together.
    """

    stream: str
    description: str
    planned_steps: int
    errors: dict[str, RunningError]
    decisions: RunningDecisions
    details: Details | None = None
    alarms: RunningAlarms | None = None
    steps: int = 0
    streams: int = 1
    hidden: tuple[str, ...] = field(init=False)
    _merged: list[tuple[int, Estimate]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.hidden = tuple(name for name in self.errors if name.startswith("h"))

    def merge(self, other: RunningDrift) -> None:
        """Add another stream; both have steps."""
        self._merged = [*self._parts(), *other._parts()]
        for name, error in self.errors.items():
            error.merge(other.errors[name])
        self.decisions.merge(other.decisions)
        if self.details is not None and other.details is not None:
            self.details.merge(other.details)
        if self.alarms is not None and other.alarms is not None:
            self.alarms.merge(other.alarms)
        else:
            self.alarms = self.alarms or other.alarms
        self.planned_steps += other.planned_steps
        self.steps += other.steps
        self.streams += other.streams
        self.stream, self.description = ALL_STREAMS, f"{self.streams} streams put together"

    def result(self) -> StreamDrift:
        """Return what was measured; at least one step must have been seen."""
        rows = {name: error.result() for name, error in self.errors.items()}
        square = float(np.mean([np.square(rows[name].rms.value) for name in self.hidden]))
        frames, detections = self.decisions.result()
        return StreamDrift(
            stream=self.stream,
            description=self.description,
            steps=self.steps,
            planned_steps=self.planned_steps,
            streams=self.streams,
            hidden_rms=root_estimate(square, pooled_mean(self._parts())),
            tensors=tuple(rows.values()),
            decisions=frames,
            detections=detections,
            details={} if self.details is None else self.details.to_json(),
            alarms=None if self.alarms is None else self.alarms.result(),
        )

    def _parts(self) -> list[tuple[int, Estimate]]:
        """Return steps and mean square error over the hidden states of each stream."""
        if self._merged:
            return self._merged
        means = [self.errors[name].blocks.means(STRETCHES)[0] for name in self.hidden]
        return [(self.steps, related_mean(np.mean(means, axis=0)))]


def replay_pair(
    stream: FrameStream,
    reference: Side,
    engine: Side,
    rules: tuple[DecisionRule, DecisionRule],
    details: Details | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> RunningDrift:
    """Replay a stream through two engines and add up how far apart they are.

    Args:
        stream: At least `FEWEST_STEPS` long.
        reference: At the start of a stream.
        engine: At the start of a stream.
        rules: Of the reference and of the engine; each remembers its own past.
        details: Looks into single steps; the engine must then be an integer one, and the
            reference one in real units.
        tell: Told after every chunk how many steps are done, of how many. A KeyboardInterrupt
            ends the replay, and what was measured until then is returned.

    Raises:
        DataError: If the stream is too short, or was stopped before it gave anything.
        EngineError: If an engine fails, or the two have other states.
    """
    if stream.steps < FEWEST_STEPS:
        raise DataError(
            f"Stream {stream.name}: {stream.steps} frames; expected at least {FEWEST_STEPS}.",
            "ask for more with --steps",
        )
    found: RunningDrift | None = None
    every = max(1, -(-stream.steps // DETAILED_STEPS))
    sampler = None if details is None else _Sampler(details, every)
    try:
        for chunk in stream.chunks():
            ran = reference.run(chunk.frames), engine.run(chunk.frames)
            if found is None:
                found = _start(stream, engine, ran, rules, details)
                threshold = rules[0].alarm_threshold
                if chunk.labels is not None and threshold is not None:
                    found.alarms = RunningAlarms(threshold, rules[0].settling_frames)
            with undivided():
                _add(found, chunk, ran, rules, sampler)
            tell(found.steps, stream.steps)
    except KeyboardInterrupt:
        if found is None or not found.steps:
            raise
    if found is None:
        raise DataError(f"Stream {stream.name} gave no frames; expected {stream.steps}.")
    found.decisions.close()
    if found.alarms is not None:
        found.alarms.close()
    return found


Ran = tuple[Trace, dict[str, Array], Array]


def _start(
    stream: FrameStream,
    engine: Side,
    ran: tuple[Ran, Ran],
    rules: tuple[DecisionRule, DecisionRule],
    details: Details | None,
) -> RunningDrift:
    (_, expected, y), (_, actual, _) = ran
    if set(expected) != set(actual):
        raise EngineError(
            f"Engine {engine.name} gave the states {', '.join(actual)}; "
            f"expected {', '.join(expected)}."
        )
    errors = {"y": RunningError("y", y.shape[1])}
    errors.update({name: RunningError(name, v.shape[1]) for name, v in expected.items()})
    decisions = RunningDecisions(rules[0].frame_kind, rules[0].detection_kind)
    return RunningDrift(stream.name, stream.description, stream.steps, errors, decisions, details)


def _add(
    found: RunningDrift,
    chunk: Chunk,
    ran: tuple[Ran, Ran],
    rules: tuple[DecisionRule, DecisionRule],
    sampler: _Sampler | None,
) -> None:
    (trace, expected, y), (integer_trace, actual, integer_y) = ran
    first, frames = found.steps, chunk.frames
    found.errors["y"].add(first, y, integer_y)
    for name, value in expected.items():
        found.errors[name].add(first, value, actual[name])
    decided = rules[0].update(frames, y), rules[1].update(frames, integer_y)
    found.decisions.add(first, *decided)
    if found.alarms is not None:
        found.alarms.add(first, chunk, *decided)
    if sampler is not None:
        sampler.add(first, frames, trace.states, integer_trace.states)
    found.steps += len(frames)


class _Sampler:
    """Hands every so many steps on, with the states that both engines had before them."""

    def __init__(self, details: Details, every: int) -> None:
        self.details = details
        self._every = every
        self._before: tuple[dict[str, Array], dict[str, Array]] | None = None

    def add(
        self,
        first: int,
        frames: Array,
        expected: Mapping[str, Array],
        actual: Mapping[str, Array],
    ) -> None:
        before = self._before or (_zeros(expected), _zeros(actual))
        at = np.arange(-first % self._every, len(frames), self._every)
        if len(at):
            self.details.update(
                frames[at],
                *(
                    {
                        name: np.concatenate([earlier[name], value[:-1]])[at]
                        for name, value in states.items()
                    }
                    for earlier, states in zip(before, (expected, actual), strict=True)
                ),
            )
        self._before = (_last(expected), _last(actual))


def _zeros(states: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.zeros_like(value[:1]) for name, value in states.items()}


def _last(states: Mapping[str, Array]) -> dict[str, Array]:
    return {name: value[-1:].copy() for name, value in states.items()}


def put_together(
    found: list[RunningDrift], facts: Mapping[str, object], unseen_steps: int = 0
) -> DriftResult:
    """Return the result of several streams, one by one and all together.

    Args:
        found: At least one; they are merged into the first and must not be used afterwards.
        facts: Of the result.
        unseen_steps: Frames of streams that were planned and not begun.
    """
    streams = tuple(each.result() for each in found)
    total = found[0]
    for other in found[1:]:
        total.merge(other)
    total.planned_steps += unseen_steps
    return DriftResult(facts, total.result(), streams, {})
