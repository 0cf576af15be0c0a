"""Engines on the other side of a stream of bytes: the client of ``rnn_edge_service.h``."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.engines.base import Engine, EngineSource
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.stream_process import StreamProcess
from rnn_edge.errors import EngineError
from rnn_edge.exporters.c_source import sources_in
from rnn_edge.types import Array, QuantizedModel, SavedState, Trace
from rnn_edge.types.saved_state import DIGEST_BYTES, blob_bytes, digest_bytes

VERSION = 2
START_TIMEOUT_S = 60.0
CALL_TIMEOUT_S = 60.0
"""For `CHUNK_STEPS` steps: the slowest emulated processor takes a second for them."""
CHUNK_STEPS = 128
ENDINGS = {
    100: "it lost track of what it was asked",
    101: "the processor ended in a fault",
    102: "the emulator has no console for it",
}
"""Exit codes of ``rnn_edge_service_end`` and of ``rnn_edge_end`` in the bare-metal template."""

_IDENTITY = struct.Struct(f"<cB{DIGEST_BYTES}sIII")
_COUNTERS = struct.Struct("<cIQII")


@dataclass(frozen=True)
class Counters:
    """What a program has counted since it began.

    Attributes:
        steps: Steps of the model.
        ticks: Of the platform's counter, in all steps together; 0 where it has none.
        most_ticks: Of the slowest step.
        stack_bytes: Of the stack that were ever in use; 0 where that is not known.
    """

    steps: int
    ticks: int
    most_ticks: int
    stack_bytes: int


def exported_sources(source: EngineSource) -> list[Path]:
    """Return the files of the exported C that a program is made of."""
    return sources_in(source.model, source.exports)


class ServiceEngine(Engine):
    """Steps a model in a program that holds the state itself.

    Args:
        model: The model that the program was made of.
        process: The program; it is closed with the engine.

    Raises:
        EngineError: If the program does not answer, or serves another model.
    """

    def __init__(self, model: QuantizedModel, process: StreamProcess) -> None:
        self._model = model
        self._layout = StreamLayout.of_integer(model)
        self._values = sum(model.state_sizes.values())
        self._process = process
        try:
            self._identify()
        except EngineError:
            process.close()
            raise

    @property
    def model(self) -> QuantizedModel:
        """The model that the program was made of."""
        return self._model

    def _identify(self) -> None:
        answer = self._process.exchange(b"I", _IDENTITY.size, START_TIMEOUT_S)
        found = _IDENTITY.unpack(answer)
        model = self._model
        wanted = (b"I", VERSION, digest_bytes(model), model.inputs, model.outputs, self._values)
        if found != wanted:
            raise EngineError(
                f"Program for {model.name} says it is {answer.hex()}; "
                f"expected {_IDENTITY.pack(*wanted).hex()}.",
                "export the model again",
            )

    def _ask(self, request: bytes, count: int) -> bytes:
        """Return the ``count`` bytes that follow the echo of a command."""
        answer = self._process.exchange(request, 1 + count, CALL_TIMEOUT_S)
        if answer[:1] != request[:1]:
            self._process.close()
            raise EngineError(
                f"Program for {self._model.name} answered {request[:1]!r} with {answer[:1]!r}."
            )
        return answer[1:]

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given int16 vectors by name.

        Raises:
            EngineError: If a name, dtype or length is not the model's, or the program fails.
        """
        whole = self._layout.state(state)
        if state is None:
            self._ask(b"R", 0)
            return
        status = self._ask(b"S" + SavedState.of(self._model, whole).pack(), 1)[0]
        if status != 0:
            raise EngineError(f"Program for {self._model.name} refused a state: status -{status}.")

    def step(self, x: Array) -> Array:
        """Advance by one frame x int16 (D,) and return the output int16 (C,)."""
        outputs: Array = self._advance(self._layout.frame(x)[None])[0, : self._layout.outputs]
        return outputs.copy()

    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name, int16 (H,)."""
        blob = self._ask(b"G", blob_bytes(self._model))
        return SavedState.unpack(self._model, blob).vectors(self._model)

    def run(self, x: Array) -> Trace:
        """Advance by T frames x int16 (T, D); return outputs and states after each."""
        return self._run(x, b"F")

    def run_deployed(self, x: Array) -> Trace:
        """Advance as `run` does, under the reset policy that the C was exported with."""
        return self._run(x, b"A")

    def _run(self, x: Array, command: bytes) -> Trace:
        frames = self._layout.frames(x)
        width = self._layout.outputs + self._values
        parts = [
            self._advance(frames[at : at + CHUNK_STEPS], command)
            for at in range(0, len(x), CHUNK_STEPS)
        ]
        rows = np.concatenate(parts) if parts else np.empty((0, width), np.int16)
        states, at = {}, self._layout.outputs
        for name, size in self._layout.states.items():
            states[name] = rows[:, at : at + size]
            at += size
        return Trace(rows[:, : self._layout.outputs], states)

    def counters(self) -> Counters:
        """Return what the program has counted since it began."""
        return Counters(*_COUNTERS.unpack(b"C" + self._ask(b"C", _COUNTERS.size - 1))[1:])

    def close(self) -> None:
        """End the program; calling it twice is fine."""
        self._process.close()

    def _advance(self, frames: Array, command: bytes = b"F") -> Array:
        """Return outputs and states, int16 (T, C + V), after each of T frames (T, D)."""
        request = struct.pack("<cI", command, len(frames)) + frames.astype("<i2").tobytes()
        width = self._layout.outputs + self._values
        answer = self._process.exchange(request, 2 * width * len(frames), CALL_TIMEOUT_S)
        return np.frombuffer(answer, "<i2").astype(np.int16).reshape(len(frames), width)
