"""One model on a stream: its engine, its reset policy, its rule of decisions, its watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from rnn_edge.drift.resets import FloatResets, IntegerResets
from rnn_edge.engines.base import Engine, EngineKind
from rnn_edge.errors import EngineError, SavedStateError
from rnn_edge.evaluation.detections import AlarmRule
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.input_drift import InputDrift, InputReference
from rnn_edge.live.events import Active, EventTracker
from rnn_edge.live.keyword_rule import LiveKeywords
from rnn_edge.live.saved import LiveState
from rnn_edge.types import Array, QuantizedModel, SavedState
from rnn_edge.types.closing import Closing
from rnn_edge.types.resets import ResetPolicy


class SampleStream(Protocol):
    """Turns samples in pieces into features before normalisation."""

    def push(self, chunk: Array) -> Array:
        """Take samples and return the features float (T, D) of the frames they complete."""

    def reset(self) -> None:
        """Forget the samples that wait for their frame to be complete."""

    def memory(self) -> dict[str, Array]:
        """Return what frames depend on besides their own samples."""

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned; ValueError for that of another front end."""


@dataclass(frozen=True, eq=False)
class Stepped:
    """What a frame led to.

    Attributes:
        x: int16 (D,), the frame.
        y: (C,), what the engine gave: int16 of an integer engine, else in real units.
        is_reset: Whether the policy set the state to zero before it.
        single: Decision on the frame by itself.
        detection: Of the rule.
        score: Of the rule.
        left_out: bool (D,), features that did not count; None where all did.
    """

    x: Array
    y: Array
    is_reset: bool
    single: int
    detection: int
    score: float
    left_out: Array | None = None


@dataclass(frozen=True, eq=False)
class LaneParts:
    """What a lane is made of.

    Attributes:
        model: The quantized model.
        kind: Of the engine.
        engine: Opened, at state zero.
        front_end: Of the bundle.
        samples: What turns samples into its features before normalisation.
        rule: At the start of a stream.
        policy: When the state is set back.
        reference: What the inputs are held against, or None.
        why_unwatched: Why there is none.
    """

    model: QuantizedModel
    kind: EngineKind
    engine: Engine
    front_end: FrontEnd
    samples: SampleStream
    rule: LiveKeywords | AlarmRule
    policy: ResetPolicy
    reference: InputReference | None
    why_unwatched: str


class Lane(Closing):
    """Steps a model.

    Args:
        parts: What it is made of; the lane closes the engine.

    Raises:
        EngineError: If the policy needs what the engine cannot do.
    """

    def __init__(self, parts: LaneParts) -> None:
        model, kind = parts.model, parts.kind
        if parts.policy.kind == "decay" and not kind.sets_state:
            raise EngineError(
                f"Reset policy {parts.policy.words()} changes the state at every step; engine "
                f"{kind.name!r} can only zero it.",
                "choose another engine with --engine",
            )
        self.model, self.kind, self.parts = model, kind, parts
        self.digest = model.digest()
        self.is_keywords = isinstance(parts.rule, LiveKeywords)
        self.tracker = EventTracker(model.labels if self.is_keywords else ())
        self.age = 0
        """Frames since the state was zero."""
        self.drift = None if parts.reference is None else InputDrift(parts.reference)
        self._engine, self._rule = parts.engine, parts.rule
        self._is_integer = kind.is_integer
        self._input_scale = 2.0**model.input_exponent
        self._output_scale = 2.0**model.output_exponent
        self._resets: IntegerResets | FloatResets | None = None
        if parts.policy.kind != "never":
            self._resets = (
                IntegerResets(parts.policy, 1, model.inputs, model.input_exponent)
                if kind.is_integer
                else FloatResets(parts.policy, 1)
            )
        self.does_decay = parts.policy.kind == "decay"

    @property
    def output_scale(self) -> float:
        """Value of one unit of an integer engine's output."""
        return self._output_scale

    @property
    def can_save(self) -> bool:
        """Whether the engine's state is made of integers, and can be set."""
        return self._is_integer and self.kind.sets_state

    def frames(self, raw: Array) -> Array:
        """Return features before normalisation (T, D) as frames int16 (T, D)."""
        return self.parts.front_end.quantize_input(raw)

    def step(self, x: Array, left_out: Array | None = None) -> Stepped:
        """Advance by one frame.

        Args:
            x: int16 (D,).
            left_out: bool (D,), features that count nothing in it; None where all do.
        """
        real = x * self._input_scale
        given = x if self._is_integer else real.astype(np.float32)
        is_reset = self._resets is not None and self._prepare(given)
        y = self._engine.step(given)
        self.age = 1 if is_reset else self.age + 1
        output = y * self._output_scale if self._is_integer else y
        if left_out is None or isinstance(self._rule, LiveKeywords):
            single, detection, score = self._rule.step(real, output)
        else:
            single, detection, score = self._rule.step(real, output, left_out)
        return Stepped(x, y, is_reset, single, detection, score, left_out)

    def hidden(self) -> dict[str, Array]:
        """Return the hidden states by name, in real units."""
        scale = 2.0**-15 if self._is_integer else 1.0
        return {n: v * scale for n, v in self._engine.state().items() if n.startswith("h")}

    def zero(self) -> None:
        """Set the state to zero."""
        self._engine.reset()
        self.age = 0

    def restart(self) -> None:
        """Begin anew behind a gap: the state is zero, and an alarm that is on waits for its end."""
        self.zero()
        if not isinstance(self._rule, LiveKeywords):
            self._rule.restart()

    def save(self, step: int, source: str, position: int) -> LiveState:
        """Return the lane as it is, between two frames.

        Args:
            step: Number of the next frame.
            source: Identity of the source.
            position: Sample that the next frame begins with.
        """
        active = self.tracker.active
        return LiveState(
            model=self.model.name,
            digest=self.digest,
            engine=self.kind.name,
            blob=self._engine.save(),
            step=step,
            age=self.age,
            policy=self.parts.policy.words(),
            counter=0 if self._resets is None else int(self._resets.counters[0]),
            source=source,
            position=position,
            rule=self._rule.memory(),
            drift={} if self.drift is None else self.drift.memory(),
            active=None if active is None else asdict(active),
        )

    def check(self, saved: LiveState) -> None:
        """Refuse the state of another model.

        Raises:
            SavedStateError: If it is one.
        """
        if saved.digest != self.digest:
            raise SavedStateError(
                f"Saved stream is of another model, {saved.model} {saved.digest[:12]}...; expected "
                f"{self.model.name} {self.digest[:12]}....",
                "run that model, or begin anew with --new-state, which keeps the file under "
                "another name",
            )
        SavedState.unpack(self.model, saved.blob)

    def restore(self, saved: LiveState) -> list[str]:
        """Go on from a saved state; return what of it could not be taken up, in words.

        Raises:
            SavedStateError: If it is of another model.
        """
        self.check(saved)
        self._engine.restore(saved.blob)
        self.age = saved.age
        lost: list[str] = []
        if self._resets is not None:
            if saved.policy == self.parts.policy.words():
                self._resets.counters[:] = saved.counter
            else:
                lost.append(f"the counter of reset policy {saved.policy}")
        try:
            self._rule.recall(saved.rule)
            self.tracker.active = _active(saved.active)
        except ValueError:
            lost.append("what the rule of decisions remembered, as it is another rule now")
        if self.drift is not None:
            try:
                self.drift.recall(saved.drift)
            except (ValueError, KeyError):
                lost.append("the input drift so far")
        return lost

    def close(self) -> None:
        """Close the engine; calling it twice is fine."""
        self._engine.close()

    def _prepare(self, x: Array) -> bool:
        """Let the policy act before a step; return whether it zeroed the state."""
        assert self._resets is not None
        state = self._engine.state() if self.does_decay else {}
        rows = {name: value[None] for name, value in state.items()}
        is_reset = bool(self._resets.prepare(rows, x[None])[0])
        if is_reset:
            self._engine.reset()
        elif self.does_decay:
            self._engine.reset({name: value[0] for name, value in rows.items()})
        return is_reset


def _active(found: Mapping[str, Any] | None) -> Active | None:
    return None if found is None else Active(**found)
