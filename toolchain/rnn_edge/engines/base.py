"""What an engine is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from rnn_edge import engines
from rnn_edge.errors import EngineError
from rnn_edge.registry import discover
from rnn_edge.types import Array, FloatModel, QuantizedModel, SavedState, Trace
from rnn_edge.types.closing import Closing
from rnn_edge.types.saved_state import bytes_of


class Engine(Closing):
    """Steps one stream; the state is carried until `reset`.

    Integer engines take int16 frames at the model's input scale and give int16 outputs and
    states; float engines take and give float32 in real units.

    Attributes:
        name: What users type, for messages; set where an `EngineKind` opens it.
    """

    name: str = ""

    @abstractmethod
    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given vectors by name (h0, c0, ...).

        States that are not named are zero.
        """

    @abstractmethod
    def step(self, x: Array) -> Array:
        """Advance by one frame x (D,) and return the output (C,)."""

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name, vectors (H,)."""

    def run(self, x: Array) -> Trace:
        """Advance by T frames x (T, D); return outputs (T, C) and states (T, H) after each."""
        outputs: list[Array] = []
        states: dict[str, list[Array]] = {name: [] for name in self.state()}
        for frame in x:
            outputs.append(self.step(frame))
            for name, value in self.state().items():
                states[name].append(value)
        return Trace(np.stack(outputs), {name: np.stack(rows) for name, rows in states.items()})

    def run_last(self, x: Array) -> Array:
        """Advance by T frames x (T, D), T at least 1; return the output (C,) after the last.

        For models whose output is wanted at the end of a sequence only. Engines that can leave
        the head out of all steps but the last do so; the others throw its results away.
        """
        for frame in x[:-1]:
            self.step(frame)
        return self.step(x[-1])

    @property
    def model(self) -> QuantizedModel | None:
        """The model that integer states belong to; None for states in floating point."""
        return None

    def save(self) -> bytes:
        """Return the state as bytes that any integer engine and the C of the same model restore.

        Raises:
            EngineError: If the engine's state is not made of integers.
        """
        return SavedState.of(self._integer_model(), self.state()).pack()

    def restore(self, blob: bytes) -> None:
        """Go on from a saved state; where it is refused, the state stays as it was.

        Args:
            blob: What `save` returned, here or in another engine, or what the C wrote.

        Raises:
            SavedStateError: If it is no bytes, damaged, or of another model or layout version.
            EngineError: If the engine's state is not made of integers.
        """
        model = self._integer_model()
        self.reset(SavedState.unpack(model, bytes_of(model, blob)).vectors(model))

    def _integer_model(self) -> QuantizedModel:
        if self.model is None:
            raise EngineError(
                f"Saved state: engine {self.name!r} holds no integer state; expected an integer "
                "engine, e.g. 'int8' or 'c'.",
                "take the vectors of state(), and hand them to reset()",
            )
        return self.model

    def close(self) -> None:
        """Release what the engine holds; calling it twice is fine."""


@dataclass(frozen=True)
class EngineSource:
    """What an engine can be opened from.

    Attributes:
        float_model: The student in floating point.
        model: The quantized model.
        exports: Folder that holds the exporters' files.
        work: Folder for what the engine builds (a compiled library); it may be kept and reused.
        bundle: Folder of the bundle that the files belong to, for messages; None where there is
            none.
        port: Where the board is that an engine with `EngineKind.needs_port` speaks to; None where
            none was named.
    """

    float_model: FloatModel
    model: QuantizedModel
    exports: Path
    work: Path
    bundle: Path | None = None
    port: str | None = None


def _open_named(
    name: str, open_engine: Callable[[EngineSource], Engine], source: EngineSource
) -> Engine:
    engine = open_engine(source)
    engine.name = name
    return engine


@dataclass(frozen=True)
class EngineKind:
    """One way to run a model.

    Attributes:
        name: What users type, e.g. "litert".
        summary: One line for help and reports.
        is_integer: Whether it must equal the integer reference in every bit.
        extra: The optional dependency group it needs, or an empty string.
        exporter: The exporter whose files it runs, or an empty string.
        open: Makes a running engine.
        is_emulated: Whether it imitates another processor: exact, slow, and no measure of time.
        is_approximate: Whether it computes in a coarser arithmetic than the model's own, so that
            its distance from the float model is a result and not a fault.
        sets_state: Whether `Engine.reset` takes vectors; if not, the runtime keeps the state and
            can only set it to zero, and `Engine.restore` refuses with `EngineError`.
        softmax_lsb: How many units the outputs of its softmax may be away from the reference's.
        needs_port: Whether it is a board, which is there only where a port is named.
    """

    name: str
    summary: str
    is_integer: bool
    extra: str
    exporter: str
    open: Callable[[EngineSource], Engine]
    is_emulated: bool = False
    is_approximate: bool = False
    sets_state: bool = True
    softmax_lsb: int = 0
    needs_port: bool = False

    def __post_init__(self) -> None:
        # What is opened knows by which name it was asked for: one class serves several kinds.
        object.__setattr__(self, "open", partial(_open_named, self.name, self.open))

    @property
    def is_slow(self) -> bool:
        """Whether a step takes so long that a replay takes fewer unless it is asked for more."""
        return self.is_emulated or self.needs_port

    def known_lsb(self, model: QuantizedModel) -> int:
        """Return how far y may be from the reference's, in units: a fact of the runtime."""
        return self.softmax_lsb if model.head_kind == "softmax" else 0


def all_engines() -> dict[str, EngineKind]:
    """Return every kind of engine by name.

    Raises:
        SpecError: If the file of a device has mistakes.
    """
    return discover(engines, "ENGINE", EngineKind, "engine_kinds")


def engines_here() -> dict[str, EngineKind]:
    """Return every kind of engine but boards, which have to be named with their ports.

    Raises:
        SpecError: If the file of a device has mistakes.
    """
    return {name: kind for name, kind in all_engines().items() if not kind.needs_port}
