"""Engines whose state stays in the runtime: it is read from there, and set there or refused."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np

from rnn_edge.engines import tflite_runtime, tflm, worker_program
from rnn_edge.engines.base import Engine
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.engines.numbers import Numbers
from rnn_edge.engines.worker import CALL_TIMEOUT_S, Worker
from rnn_edge.engines.worker_engine import (
    STEPS_PER_MESSAGE,
    load_in_worker,
    refused,
    start_worker,
    tensors_of,
)
from rnn_edge.errors import EngineError
from rnn_edge.extras import require
from rnn_edge.types import Array, QuantizedModel, Trace

_ENVIRONMENTS = MappingProxyType(
    {"tflite-runtime": tflite_runtime.ENVIRONMENT, "tflm": tflm.ENVIRONMENT}
)
"""By the runtime's name without what follows the last dash; the others are installed here."""


class StatefulSession(Protocol):
    """What steps a file and keeps its state; see `worker_program.StatefulSession`."""

    inputs: worker_program.Tensors
    outputs: worker_program.Tensors
    states: worker_program.Tensors
    scales: dict[str, tuple[float, int]]
    sets_state: bool

    def run(self, x: Array, state: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Advance by frames x (T, D); return outputs (T, C) and the states (T, H) after each."""

    def state(self) -> dict[str, Array]:
        """Return copies of the state, vectors (H,) by name."""

    def reset(self, state: Mapping[str, Array]) -> None:
        """Set the state to zero where nothing is given, or else to all of the given vectors."""

    def close(self) -> None:
        """Release what it holds; calling it twice is fine."""


class LocalSession:
    """A session in this process, whose failures are the library's errors.

    Args:
        session: What steps the file.
    """

    def __init__(self, session: worker_program.StatefulSession) -> None:
        self._session = session
        self.inputs, self.outputs = session.inputs, session.outputs
        self.states, self.scales = session.states, session.scales
        self.sets_state = session.sets_state

    def run(self, x: Array, state: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Advance by frames x (T, D); return outputs (T, C) and the states (T, H) after each.

        Raises:
            EngineError: If the runtime fails.
        """
        try:
            return self._session.run(x, state)
        except (ValueError, RuntimeError) as error:
            raise EngineError(f"Runtime fails: {error}.") from error

    def state(self) -> dict[str, Array]:
        """Return copies of the state, vectors (H,) by name."""
        return self._session.state()

    def reset(self, state: Mapping[str, Array]) -> None:
        """Set the state to zero where nothing is given, or else to all of the given vectors.

        Raises:
            EngineError: If the runtime fails.
        """
        try:
            self._session.reset(state)
        except (ValueError, RuntimeError) as error:
            raise EngineError(f"Runtime fails: {error}.") from error

    def close(self) -> None:
        """End the session."""
        self._session.close()


class RemoteStatefulSession:
    """A session in a worker.

    Args:
        worker: Of the program `engines.worker_program`; this owns it from now on.
        runtime: One of ``worker_program.STATEFUL_RUNTIMES``.
        content: The TFLite file.
        states: Names of its states.
        path: Of the file, for messages.

    Raises:
        EngineError: If the runtime refuses the file or the worker fails.
        EnvironmentFailureError: If the runtime cannot be imported.
    """

    def __init__(
        self, worker: Worker, runtime: str, content: bytes, states: list[str], path: Path
    ) -> None:
        self._worker = worker
        reply = load_in_worker(worker, {"runtime": runtime, "states": states}, content, path)
        self.inputs, self.outputs, self.states = (
            tensors_of(reply[key]) for key in ("inputs", "outputs", "states")
        )
        self.scales = {name: (scale, zero) for name, (scale, zero) in reply["scales"].items()}
        self.sets_state = bool(reply["sets_state"])

    def run(self, x: Array, state: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Advance by frames x (T, D); return outputs (T, C) and the states (T, H) after each."""
        found = self._call("run", {"x": x, **state})
        return found["y"], {name: found[name] for name in self.states}

    def state(self) -> dict[str, Array]:
        """Return copies of the state, vectors (H,) by name."""
        return {name: value.copy() for name, value in self._call("state", {}).items()}

    def reset(self, state: Mapping[str, Array]) -> None:
        """Set the state to zero where nothing is given, or else to all of the given vectors."""
        self._call("reset", state)

    def close(self) -> None:
        """End the worker."""
        self._worker.close()

    def _call(self, command: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
        reply, found = self._worker.call({"command": command}, arrays, CALL_TIMEOUT_S)
        if "error" in reply:
            raise EngineError(f"Runtime fails in its worker: {reply['error']}.")
        return found


class RuntimeStateEngine(Engine):
    """Steps a session that keeps the state, and reads every state from it.

    Args:
        layout: The model's interface, in the numbers that callers use.
        numbers: From callers' numbers to the file's and back.
        session: This owns it from now on; its state has to be zero.
        path: Of the file, for messages.

    Raises:
        EngineError: If the file does not have the tensors that the layout asks for.
    """

    def __init__(
        self, layout: StreamLayout, numbers: Numbers, session: StatefulSession, path: Path
    ) -> None:
        self._layout = layout
        self._numbers = numbers
        self._session = session
        found = {**session.inputs, **session.outputs, **session.states}
        sizes = {"x": layout.inputs, "y": layout.outputs, **layout.states}
        wanted = {name: (size, numbers.dtype(name)) for name, size in sizes.items()}
        have = {name: (int(np.prod(shape)), dtype) for name, (shape, dtype) in found.items()}
        if have != wanted:
            session.close()
            raise EngineError(f"File {path} has tensors {have}; expected {wanted}.")

    @property
    def model(self) -> QuantizedModel | None:
        """The model that integer states belong to; None for states in other numbers."""
        return self._layout.model

    @property
    def scales(self) -> dict[str, tuple[float, int]]:
        """Scale and zero point of x, y and every state in the file."""
        return dict(self._session.scales)

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given vectors by name.

        Raises:
            EngineError: If a name, dtype or length is not the model's, or if there is a state to
                set and the runtime cannot.
        """
        whole = self._layout.state(state)
        if not any(value.any() for value in whole.values()):
            self._session.reset({})
            return
        if not self._session.sets_state:
            raise EngineError(
                f"State of {self._layout.name} cannot be set: the runtime keeps it and takes "
                "none; expected a reset to zero.",
                "use an engine whose state is explicit",
            )
        self._session.reset({name: self._numbers.enter(name, v) for name, v in whole.items()})

    def step(self, x: Array) -> Array:
        """Advance by one frame x (D,) and return the output (C,)."""
        frame = self._numbers.enter("x", self._layout.frame(x))
        outputs, _ = self._session.run(frame[None], {})
        return self._numbers.leave("y", outputs[0])

    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name, vectors (H,), as the runtime has it."""
        return self._left(self._session.state())

    def run(self, x: Array) -> Trace:
        """Advance by T frames x (T, D); return outputs (T, C) and states (T, H) after each."""
        layout = self._layout
        frames = self._numbers.enter("x", layout.frames(x))
        outputs = np.empty((len(frames), layout.outputs), layout.dtype)
        states = {
            name: np.empty((len(frames), size), layout.dtype)
            for name, size in layout.states.items()
        }
        for start in range(0, len(frames), STEPS_PER_MESSAGE):
            part = slice(start, start + STEPS_PER_MESSAGE)
            found, after = self._session.run(frames[part], {})
            outputs[part] = self._numbers.leave("y", found)
            for name, rows in self._left(after).items():
                states[name][part] = rows
        return Trace(outputs, states)

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _left(self, values: Mapping[str, Array]) -> dict[str, Array]:
        return {name: self._numbers.leave(name, values[name]) for name in self._layout.states}


def open_session(runtime: str, content: bytes, states: list[str], path: Path) -> StatefulSession:
    """Load a file into a runtime, here if it can be imported, or else in its environment.

    Args:
        runtime: One of ``worker_program.STATEFUL_RUNTIMES``.
        content: The TFLite file.
        states: Names of its states.
        path: Of the file, for messages.

    Raises:
        MissingDependencyError: If the runtime is not to be had.
        EnvironmentFailureError: If the machine does not let its environment be made.
        EngineError: If the runtime refuses the file, or the worker fails.
    """
    environment = _ENVIRONMENTS.get(runtime.rpartition("-")[0])
    module, _ = worker_program.STATEFUL_RUNTIMES[runtime]
    if environment is None:
        require(module, "litert", f"the engine {runtime!r}")
    else:
        try:
            importlib.import_module(module)
        except (ImportError, AttributeError) as error:
            # Not installed, or built for another numpy than this process has.
            if environment is tflite_runtime.ENVIRONMENT:
                tflite_runtime.require_wheels(error)
            worker = start_worker(environment, runtime)
            return RemoteStatefulSession(worker, runtime, content, states, path)
    try:
        return LocalSession(worker_program.open_stateful_session(runtime, content, states))
    except (ValueError, RuntimeError) as error:
        raise refused(path, runtime, f"{error}") from error
