"""The state probe: two steps tell whether a runtime carries its state from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from rnn_edge.errors import DataError, EngineError
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import Array, FloatModel, QuantizedModel, SavedState

SCANNED_FRAMES = 4096
"""Frames of a stream among which two are looked for."""

FLOAT_TOLERANCE = 1e-3
"""Between float engines after two steps; they add in another order than the reference."""

NEAR = 0.25
"""Of the gap between a carried and a lost state: what is nearer than this to one is that one."""


class Verdict(StrEnum):
    """What two steps say of a runtime's state."""

    CARRIED = "state carried"
    FROM_ZERO = "starts from zero at each step"
    DIFFERS = "differs otherwise"


class Stepper(Protocol):
    """What the probe needs of an engine."""

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given vectors by name."""

    def step(self, x: Array) -> Array:
        """Advance by one frame x (D,) and return the output (C,)."""

    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name."""

    def save(self) -> bytes:
        """Return the state as bytes."""

    def restore(self, blob: bytes) -> None:
        """Go on from what `save` returned."""


class _Reference(Protocol):
    state: dict[str, Array]

    def reset(self) -> None:
        """Set the state to zero."""

    def step(self, x: Array) -> Array:
        """Advance B streams by one frame (B, D)."""


@dataclass(frozen=True, eq=False)
class ProbeCase:
    """Two frames, and what the reference makes of the second one in every case.

    Attributes:
        frames: (2, D), in the numbers of the engines: int16, or float32 in real units.
        carried: (C,), the second output of a runtime that carries its state.
        from_zero: (C,), the second output of one that starts again from zero.
        partly: By state, the second output where that state alone starts from zero; of models
            with several states, and only where it is not the carried one.
        blob: The state between the two as bytes; None for float engines.
        tolerance: By how much an output may be off and still be one of these; 0 where every bit
            has to be the reference's.
    """

    frames: Array
    carried: Array
    from_zero: Array
    partly: Mapping[str, Array]
    blob: bytes | None
    tolerance: float

    def judge(self, second: Array) -> tuple[Verdict, str]:
        """Return the verdict on a second output (C,), and what more there is to say."""
        if self.is_near(second, self.carried):
            return Verdict.CARRIED, ""
        if self.is_near(second, self.from_zero):
            return Verdict.FROM_ZERO, ""
        lost = [name for name, output in self.partly.items() if self.is_near(second, output)]
        if lost:
            return Verdict.DIFFERS, f"as if {' or '.join(lost)} alone started from zero"
        return Verdict.DIFFERS, ""

    def is_near(self, actual: Array, expected: Array) -> bool:
        """Return whether two outputs are the same within the tolerance."""
        return _gap(actual, expected) <= self.tolerance


@dataclass(frozen=True)
class ProbeRow:
    """What the probe found out about one engine.

    Attributes:
        engine: Its name.
        verdict: Whether the second step went on from the first; None where the engine failed.
        resets: Whether a reset makes it start from zero.
        restores: Whether it goes on from a saved state; None where a runtime takes no state.
        detail: What more there is to say, or an empty string.
    """

    engine: str
    verdict: Verdict | None
    resets: bool
    restores: bool | None
    detail: str

    @property
    def is_sound(self) -> bool:
        """Whether streams can be run, stopped and started over with this engine."""
        return self.verdict is Verdict.CARRIED and self.resets and self.restores is not False

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {**asdict(self), "is_sound": self.is_sound}


def find_frames(model: QuantizedModel, frames: Array) -> int:
    """Return where in a stream two frames lie that tell a carried state from a lost one best.

    Args:
        model: The model.
        frames: int16 (T, D).

    Raises:
        DataError: If no two frames of the stream tell.
    """
    scanned = frames[:SCANNED_FRAMES]
    if len(scanned) < 2:
        raise DataError(f"State probe: the stream has {len(scanned)} frames; expected at least 2.")
    reference = IntegerReference(model, len(scanned) - 1)
    carried, from_zero, partly = _second_outputs(reference, scanned[:-1], scanned[1:])
    gaps = np.abs(carried.astype(np.int64) - from_zero).max(axis=1)
    if not gaps.any():
        raise DataError(
            f"State probe: no two of the first {len(scanned):,} frames give another output of "
            f"{model.name} when the state is lost between them.",
            "see whether the head of the model uses its state at all, or name other data",
        )
    # Rather a pair that tells each single state as well than the one with the largest gap.
    told = sum(((output != carried).any(axis=1) for output in partly.values()), np.zeros(len(gaps)))
    return int(np.lexsort((gaps, np.where(gaps > 0, told, -1)))[-1])


def integer_case(model: QuantizedModel, frames: Array) -> ProbeCase:
    """Return the case for integer engines.

    Args:
        model: The model.
        frames: int16 (2, D).
    """
    reference = IntegerReference(model)
    case = _case(reference, frames)
    reference.reset()
    reference.step(frames[:1])
    state = {name: value[0] for name, value in reference.state.items()}
    return ProbeCase(frames, *case, SavedState.of(model, state).pack(), 0.0)


def float_case(model: FloatModel, frames: Array, *, is_approximate: bool = False) -> ProbeCase:
    """Return the case for float engines.

    Args:
        model: The model.
        frames: float32 (2, D), in real units.
        is_approximate: Whether the engine computes in an arithmetic of its own.
    """
    carried, from_zero, partly = _case(FloatReference(model), frames)
    near = NEAR * _gap(carried, from_zero)
    tolerance = near if is_approximate else min(near, FLOAT_TOLERANCE)
    return ProbeCase(frames, carried, from_zero, partly, None, tolerance)


def probe(name: str, engine: Stepper, case: ProbeCase, *, sets_state: bool = True) -> ProbeRow:
    """Run a few steps on an engine that was just opened, and say what became of its state.

    Args:
        name: Of the engine.
        engine: It is at the start of a stream.
        case: Made for its numbers.
        sets_state: Whether it claims to take a state.

    Raises:
        EngineError: If the engine fails.
    """
    first, second = case.frames
    engine.step(first)
    verdict, detail = case.judge(engine.step(second))
    engine.reset()
    resets = case.is_near(engine.step(second), case.from_zero)
    engine.reset()
    engine.step(first)
    saved: bytes | dict[str, Array] = engine.state() if case.blob is None else engine.save()
    notes = [detail] if detail else []
    if case.blob is not None and saved != case.blob:
        notes.append("what it saves is not the state of the reference")
        return ProbeRow(name, verdict, resets, False, "; ".join(notes))
    # The stream goes on and starts over: neither may be seen after the state is restored.
    engine.step(second)
    engine.reset()
    try:
        if isinstance(saved, bytes):
            engine.restore(saved)
        else:
            engine.reset(saved)
    except EngineError:
        if sets_state:
            raise
        return ProbeRow(name, verdict, resets, None, "; ".join(notes))
    restores = case.is_near(engine.step(second), case.carried)
    return ProbeRow(name, verdict, resets, restores, "; ".join(notes))


def _case(reference: _Reference, frames: Array) -> tuple[Array, Array, dict[str, Array]]:
    """Return the second outputs (C,) of two frames (2, D)."""
    carried, from_zero, partly = _second_outputs(reference, frames[:1], frames[1:])
    told = {name: output[0] for name, output in partly.items() if (output != carried).any()}
    return carried[0], from_zero[0], told


def _second_outputs(
    reference: _Reference, first: Array, second: Array
) -> tuple[Array, Array, dict[str, Array]]:
    """Return what a second frame gives after a first one, for B pairs of frames (B, D).

    Returns:
        Outputs (B, C) with the state carried, with all of it lost, and by name with one state
        lost; the last is empty where there is only one.
    """
    reference.reset()
    from_zero = reference.step(second)
    reference.reset()
    reference.step(first)
    between = dict(reference.state)
    carried = reference.step(second)
    partly: dict[str, Array] = {}
    for name in between if len(between) > 1 else ():
        reference.state = {**between, name: np.zeros_like(between[name])}
        partly[name] = reference.step(second)
    return carried, from_zero, partly


def _gap(a: Array, b: Array) -> float:
    """Return the largest difference between two outputs (C,)."""
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())
