"""What a long replay says of drift: frozen results, plain values in JSON.

Every figure comes from a closed loop: the reference and the engine step the same frames, each on
its own state. A result of several streams is made of running sums, so that it does not grow with
their length.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

FORMAT = "rnn-edge drift 1"
"""Of the JSON that `DriftResult.to_json` gives."""


class TrendVerdict(StrEnum):
    """Where the error of a stream goes."""

    PLATEAU = "plateau"
    GROWTH = "growth"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Estimate:
    """A measured value and the 95 % interval of what it estimates."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Trend:
    """Whether an error grows with the time since the last reset.

    Attributes:
        verdict: "plateau" if even the upper end of the interval of the slope is at most the
            limit, "growth" if its lower end is above zero and its value above the limit,
            "undecided" otherwise.
        slope: d ln(rms) / d ln(step), with its interval: 0 on a plateau, 0.5 for a random walk, 1
            for an offset that adds up.
        limit: Largest slope that is called a plateau.
        blocks: Equal stretches of the stream that the line is fitted to.
    """

    verdict: TrendVerdict
    slope: Estimate
    limit: float
    blocks: int


@dataclass(frozen=True)
class CurvePoint:
    """A stretch of a drift curve; stretches end at logarithmically spaced steps.

    Attributes:
        step: End of the stretch; it begins where the one before ends.
        rms: Over all steps and units of the stretch, in real units.
        low: 5th percentile of the rms of its steps, to one part in 20 of a decade.
        high: 95th percentile.
    """

    step: int
    rms: float
    low: float
    high: float


@dataclass(frozen=True)
class TensorDrift:
    """Closed-loop error of one tensor over a stream.

    Attributes:
        tensor: "y" or a state (h0, c0, ...).
        rms: Root mean square error over all steps and units, in real units.
        maximum: Largest error.
        relative: rms over the reference's own root mean square.
        trend: Where the error goes.
        curve: Along the stream.
        unit_rms: Of every unit over the whole stream.
        heat: Of every unit (columns) in every stretch of the curve (rows).
    """

    tensor: str
    rms: Estimate
    maximum: float
    relative: float
    trend: Trend
    curve: tuple[CurvePoint, ...]
    unit_rms: tuple[float, ...]
    heat: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class DecisionDrift:
    """Decisions of an engine against those of the reference, frame by frame.

    Attributes:
        kind: What a decision is, in words.
        agreement: Share of frames with the same decision.
        flips: Frames with another one.
        first_flip: Index of the first such frame, or None.
        reference_events: Decisions that are something (a keyword, an alarm), counted once from
            their first frame to their last; None where frames are decided one by one.
        engine_events: The same of the engine.
        missed_events: Events of the reference during which the engine never decides the same.
        extra_events: Events of the engine during which the reference never does.
        score_rms: Root mean square difference of the scores that are compared with the
            threshold; None where there is none.
        score_maximum: Largest difference of them.
    """

    kind: str
    agreement: Estimate
    flips: int
    first_flip: int | None
    reference_events: int | None = None
    engine_events: int | None = None
    missed_events: int | None = None
    extra_events: int | None = None
    score_rms: float | None = None
    score_maximum: float | None = None


@dataclass(frozen=True)
class AlarmDrift:
    """What quantization does to false alarms, at one threshold for reference and engine.

    Attributes:
        threshold: Of the score.
        score_relative: Root mean square difference of the scores over the reference's own.
        score_at_threshold: The same over the threshold, of the frames where the reference's score
            is near it; None where it never is.
        frames_at_threshold: How many those are.
        normal_frames: Frames that are known to be normal, but for the first ones of each recording.
        settling_frames: How many first ones: where recordings meet, the score jumps.
        reference_false: Normal frames in alarm, of the reference.
        engine_false: The same of the engine.
        change: How many more those are, as a share of the reference's, with its interval; None
            where only the engine has any.
        reference_events: Alarms with a normal frame and without an anomalous one, counted once from
            their first frame to their last.
        engine_events: The same of the engine.
        event_change: How many more, as a share of the reference's; None where only the engine has
            any.
    """

    threshold: float
    score_relative: float
    score_at_threshold: float | None
    frames_at_threshold: int
    normal_frames: int
    settling_frames: int
    reference_false: int
    engine_false: int
    change: Estimate | None
    reference_events: int
    engine_events: int
    event_change: float | None


@dataclass(frozen=True)
class StreamDrift:
    """One stream, or several put together.

    Attributes:
        stream: Its name, or "all streams".
        description: How it is made.
        steps: Frames replayed; the state was never reset but at the start of each stream.
        planned_steps: Frames it has; more than `steps` where the replay was stopped.
        streams: How many streams this is made of.
        hidden_rms: Root mean square error over the hidden states of all layers.
        tensors: A row for y and one for each state.
        decisions: Frame by frame, unsmoothed.
        detections: After smoothing and threshold.
        details: What single steps sampled along the stream say, see docs/drift_why.md: local
            errors, saturation, dead units, distributions; empty where none were taken.
        alarms: What becomes of false alarms; None of keywords, and of frames of which nothing is
            known.
    """

    stream: str
    description: str
    steps: int
    planned_steps: int
    streams: int
    hidden_rms: Estimate
    tensors: tuple[TensorDrift, ...]
    decisions: DecisionDrift
    detections: DecisionDrift
    details: Mapping[str, Any]
    alarms: AlarmDrift | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", MappingProxyType(dict(self.details)))

    @property
    def is_partial(self) -> bool:
        """Whether the replay was stopped before the end."""
        return self.steps < self.planned_steps

    def tensor(self, name: str) -> TensorDrift:
        """Return the row of a tensor."""
        return next(row for row in self.tensors if row.tensor == name)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "stream": self.stream,
            "description": self.description,
            "steps": self.steps,
            "planned_steps": self.planned_steps,
            "is_partial": self.is_partial,
            "streams": self.streams,
            "hidden_rms": asdict(self.hidden_rms),
            "tensors": [asdict(row) for row in self.tensors],
            "decisions": asdict(self.decisions),
            "detections": asdict(self.detections),
            "details": dict(self.details),
            "alarms": None if self.alarms is None else asdict(self.alarms),
        }


@dataclass(frozen=True)
class DriftResult:
    """What `rnn-edge drift` found.

    Attributes:
        facts: Bundle, model digest, source of the frames, reference and engine, versions; the
            analyses that an interruption left out, where there was one.
        total: All streams together.
        streams: One by one.
        analysis: By name, what explains the drift: "stability", "time_constants", "attribution",
            "recommendations", "resets"; only what was asked for.
    """

    facts: Mapping[str, Any]
    total: StreamDrift
    streams: tuple[StreamDrift, ...]
    analysis: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))
        object.__setattr__(self, "analysis", MappingProxyType(dict(self.analysis)))

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "format": FORMAT,
            **self.facts,
            "total": self.total.to_json(),
            "streams": [stream.to_json() for stream in self.streams],
            "analysis": dict(self.analysis),
        }
