"""Steps a TFLite file through a session, in this process or in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rnn_edge.engines import worker_program
from rnn_edge.engines.base import Engine, EngineSource
from rnn_edge.engines.environment import Environment, how_to_repair, interpreter_of
from rnn_edge.engines.host_state import HostStateEngine
from rnn_edge.engines.layout import StreamLayout, read_export
from rnn_edge.engines.tflite_interpreter import require_tensors
from rnn_edge.engines.worker import CALL_TIMEOUT_S, START_TIMEOUT_S, Worker
from rnn_edge.errors import EngineError, EnvironmentFailureError
from rnn_edge.exporters import tflite
from rnn_edge.types import Array, Trace

STEPS_PER_MESSAGE = 1000
"""Enough to make the message free, few enough for the timeout on a slow machine."""


class Session(Protocol):
    """What steps a file; the state goes in and out."""

    @property
    def inputs(self) -> worker_program.Tensors:
        """Tensors that go in, by name."""

    @property
    def outputs(self) -> worker_program.Tensors:
        """Tensors that come out, by name."""

    def run(self, x: Array, state: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Advance by frames x (T, D); return outputs (T, C) and the states (T, H) after each."""

    def close(self) -> None:
        """Release what it holds; calling it twice is fine."""


class RemoteSession:
    """A session in a worker.

    Args:
        worker: Of the program `engines.worker_program`; this owns it from now on.
        runtime: One of ``worker_program.RUNTIMES``.
        content: The TFLite file.
        path: Of the file, for messages.

    Raises:
        EngineError: If the runtime refuses the file or the worker fails.
        EnvironmentFailureError: If the runtime cannot be imported.
    """

    def __init__(self, worker: Worker, runtime: str, content: bytes, path: Path) -> None:
        self._worker = worker
        reply = load_in_worker(worker, {"runtime": runtime}, content, path)
        self.inputs, self.outputs = (tensors_of(reply[key]) for key in ("inputs", "outputs"))

    def run(self, x: Array, state: Mapping[str, Array]) -> tuple[Array, dict[str, Array]]:
        """Advance by frames x (T, D); return outputs (T, C) and the states (T, H) after each.

        Raises:
            EngineError: If the worker fails, or the runtime in it.
        """
        reply, arrays = self._worker.call({"command": "run"}, {"x": x, **state}, CALL_TIMEOUT_S)
        if "error" in reply:
            raise EngineError(f"Runtime fails in its worker: {reply['error']}.")
        return arrays["y"], {name: arrays[name] for name in state}

    def close(self) -> None:
        """End the worker."""
        self._worker.close()


class SessionEngine(HostStateEngine):
    """Keeps the state on the host and sends it along, so that a session has none of its own.

    Args:
        layout: The model's interface.
        session: This owns it from now on.
        path: Of the file, for messages.

    Raises:
        EngineError: If the file does not have the tensors that the layout asks for.
    """

    def __init__(self, layout: StreamLayout, session: Session, path: Path) -> None:
        super().__init__(layout)
        self._session = session
        try:
            require_tensors(path, layout, session.inputs, session.outputs)
        except EngineError:
            session.close()
            raise

    def _advance(self, x: Array, state: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
        outputs, states = self._session.run(x[None], state)
        return outputs[0], {name: rows[0] for name, rows in states.items()}

    def run(self, x: Array) -> Trace:
        """Advance by T frames x (T, D); return outputs (T, C) and states (T, H) after each."""
        layout = self._layout
        frames = layout.frames(x)
        outputs = np.empty((len(frames), layout.outputs), layout.dtype)
        states = {
            name: np.empty((len(frames), size), layout.dtype)
            for name, size in layout.states.items()
        }
        state = self._state
        for start in range(0, len(frames), STEPS_PER_MESSAGE):
            part = slice(start, start + STEPS_PER_MESSAGE)
            outputs[part], after = self._session.run(frames[part], state)
            for name, rows in after.items():
                states[name][part] = rows
            state = {name: rows[-1].copy() for name, rows in after.items()}
        self._state = state
        return Trace(outputs, states)

    def close(self) -> None:
        """End the session."""
        self._session.close()


def open_here(runtime: str, source: EngineSource) -> Engine:
    """Load the exported integer file into a runtime that this process can import.

    Args:
        runtime: One of ``worker_program.RUNTIMES``.
        source: Where the file is.

    Raises:
        EngineError: If the file is missing, of another model or refused by the runtime.
    """
    path = source.exports / tflite.FILE
    content = read_export(path, source.model.digest())
    try:
        session = worker_program.open_session(runtime, content)
    except (ValueError, RuntimeError) as error:
        raise refused(path, runtime, f"{error}") from error
    return SessionEngine(StreamLayout.of_integer(source.model), session, path)


def open_in_environment(runtime: str, environment: Environment, source: EngineSource) -> Engine:
    """Load the exported integer file into a runtime in an environment of its own.

    Args:
        runtime: One of ``worker_program.RUNTIMES``.
        environment: Where the runtime can be imported; made if it is not there.
        source: Where the file is.

    Raises:
        MissingDependencyError: If the environment is not to be had.
        EnvironmentFailureError: If the machine does not let it be made.
        EngineError: If the file is missing, of another model or refused by the runtime, or if
            the worker fails.
    """
    path = source.exports / tflite.FILE
    content = read_export(path, source.model.digest())
    worker = start_worker(environment, runtime)
    session = RemoteSession(worker, runtime, content, path)
    return SessionEngine(StreamLayout.of_integer(source.model), session, path)


def load_in_worker(
    worker: Worker, request: Mapping[str, Any], content: bytes, path: Path
) -> dict[str, Any]:
    """Have a worker load a file; return its reply. A worker that cannot is closed.

    Args:
        worker: Of the program `engines.worker_program`.
        request: What the command "load" takes, the runtime among it.
        content: The TFLite file.
        path: Of the file, for messages.

    Raises:
        EngineError: If the runtime refuses the file or the worker fails.
        EnvironmentFailureError: If the runtime cannot be imported.
    """
    model = np.frombuffer(content, np.uint8)
    reply, _ = worker.call({"command": "load", **request}, {"model": model}, START_TIMEOUT_S)
    if "missing" in reply:
        worker.close()
        raise EnvironmentFailureError(
            f"Runtime {request['runtime']} does not load in its environment: {reply['missing']}.",
            worker.remedy,
        )
    if "error" in reply:
        worker.close()
        raise refused(path, request["runtime"], reply["error"])
    return reply


def start_worker(environment: Environment, runtime: str) -> Worker:
    """Start the worker program in an environment, which is made if it is not there.

    Raises:
        MissingDependencyError: If the environment is not to be had.
        EnvironmentFailureError: If the machine does not let it be made.
        EngineError: If the worker does not start.
    """
    python = interpreter_of(environment)
    command = [str(python), "-I", str(Path(worker_program.__file__).resolve())]
    return Worker(command, f"engine {runtime!r}", how_to_repair(environment))


def tensors_of(described: Mapping[str, Any]) -> worker_program.Tensors:
    """Return what JSON made of tensors by name."""
    return {name: (tuple(shape), dtype) for name, (shape, dtype) in described.items()}


def refused(path: Path, runtime: str, reason: str) -> EngineError:
    """Return the error for a file that a runtime does not take."""
    return EngineError(f"File {path} is refused by {runtime}: {reason.rstrip('.')}.")
