"""Engines behind the framed link, and the exported C behind it on this host."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.c_host import host_compiler
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.errors import EngineError, LinkError, MissingExportError
from rnn_edge.exporters.c_source import sources_in
from rnn_edge.firmware.link import build_link_program
from rnn_edge.links.application import Mode
from rnn_edge.links.client import LinkClient
from rnn_edge.links.messages import LinkCounters, StepFlag
from rnn_edge.links.process import ProcessStream
from rnn_edge.types import Array, QuantizedModel, SavedState, Trace
from rnn_edge.types.saved_state import blob_bytes, digest_bytes

NAME = "c-link"
TIMEOUT_S = 5.0
_NEEDED = "rnn_edge_bytes.h"


class LinkEngine(Engine):
    """Steps a model in a device that holds the state itself, over a line that may lose bytes.

    After an error of the link its session is over and the state is unknown: `reset` begins
    another one.

    Args:
        model: The model that the device is to serve.
        client: Speaks to it; it is closed with the engine.
        owner: What the device belongs to, the start of messages; empty for none.
        last_words: Returns what a program in the device's place said last, or nothing.

    Raises:
        EngineError: If the device does not answer, or serves another model.
    """

    def __init__(
        self,
        model: QuantizedModel,
        client: LinkClient,
        owner: str = "",
        last_words: Callable[[], str] = str,
    ) -> None:
        self._model = model
        self._layout = StreamLayout.of_integer(model)
        self._client = client
        self._owner = owner
        self._last_words = last_words
        try:
            with self._told():
                self._begin()
        except EngineError:
            client.close()
            raise

    @property
    def model(self) -> QuantizedModel:
        """The model that the device serves."""
        return self._model

    @property
    def client(self) -> LinkClient:
        """What speaks to the device."""
        return self._client

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say in errors of the link whose device it is, and what its program said last."""
        try:
            yield
        except LinkError as error:
            if not self._owner or self._owner in error.message:
                raise
            words = self._last_words()
            said = f" Its last words: {words.rstrip('.')}." if words else ""
            message = f"{self._owner[0].upper()}{self._owner[1:]}: {error.message}{said}"
            raise type(error)(message, error.hint) from error

    def _begin(self) -> None:
        """Begin a session with a device of this model.

        Raises:
            EngineError: If it serves another one.
        """
        self._client.open()
        found, model = self._client.identify(), self._model
        values = sum(model.state_sizes.values())
        sizes = (found.inputs, found.outputs, found.state_values)
        if found.digest != digest_bytes(model) or sizes != (model.inputs, model.outputs, values):
            raise EngineError(
                f"Device serves model {found.name!r}, {found.digest.hex()}; expected "
                f"{model.name!r}, {digest_bytes(model).hex()}.",
                "flash the image of this bundle, or take the bundle of the device",
            )
        # It steps its sensor's frames, from whatever it has saved.
        self._client.set_mode(Mode.HOST)
        self._client.reset()

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given int16 vectors by name.

        Raises:
            EngineError: If a name, dtype or length is not the model's, or the device does not
                answer.
        """
        whole = self._layout.state(state)
        with self._told():
            if not self._client.is_open:
                self._begin()
            if state is None:
                self._client.reset()
            else:
                self._client.set_state(SavedState.of(self._model, whole).pack())

    def step(self, x: Array) -> Array:
        """Advance by one frame x int16 (D,) and return the output int16 (C,)."""
        frames = self._layout.frame(x)[None]
        with self._told():
            row: Array = self._client.step(frames)[0]
        return row

    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name, int16 (H,)."""
        with self._told():
            blob = self._client.state()
        if len(blob) != blob_bytes(self._model):
            raise EngineError(
                f"Saved state of {self._model.name}: {len(blob)} bytes came; expected "
                f"{blob_bytes(self._model)}."
            )
        return SavedState.unpack(self._model, blob).vectors(self._model)

    def run(self, x: Array) -> Trace:
        """Advance by T frames x int16 (T, D); return outputs and states after each."""
        return self._run(x, StepFlag.WITH_STATES)

    def run_deployed(self, x: Array) -> Trace:
        """Advance as `run` does, under the reset policy that the C was exported with."""
        return self._run(x, StepFlag.WITH_STATES | StepFlag.DEPLOYED)

    def run_last(self, x: Array) -> Array:
        """Advance by T frames x int16 (T, D) in stream mode; return the last output (C,)."""
        frames = self._layout.frames(x)
        with self._told():
            last: Array = self._client.stream(frames)[-1]
        return last

    def _run(self, x: Array, flags: StepFlag) -> Trace:
        frames = self._layout.frames(x)
        with self._told():
            rows = self._client.step(frames, flags)
        states, at = {}, self._layout.outputs
        for name, size in self._layout.states.items():
            states[name] = rows[:, at : at + size]
            at += size
        return Trace(np.ascontiguousarray(rows[:, : self._layout.outputs]), states)

    def counters(self) -> LinkCounters:
        """Return what the device has counted since it began."""
        with self._told():
            return self._client.counters()

    def close(self) -> None:
        """Close the link; calling it twice is fine."""
        self._client.close()


def exported_sources(source: EngineSource) -> list[Path]:
    """Return the files of the exported C that a program with the link is made of.

    Raises:
        MissingExportError: If the export is not there, or of a version that did not bring what
            the link is built on.
    """
    found, model = sources_in(source.model, source.exports), source.model
    if any(path.is_file() for path in found) and not any(path.name == _NEEDED for path in found):
        raise MissingExportError(
            f"C sources of {model.name} are without {_NEEDED}; expected an export of this version.",
            "rnn-edge export",
        )
    return found


def open_engine(source: EngineSource) -> Engine:
    """Compile the exported model behind the link, unless that was done before, and start it.

    Raises:
        MissingDependencyError: If there is no compiler.
        EngineError: If the export is missing, of another model or does not compile, or if the
            program fails.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    sources = exported_sources(source)
    binary = build_link_program(host_compiler(NAME), source.model, sources, source.work)
    stream = ProcessStream([str(binary)], f"Program of engine {NAME!r}")
    return LinkEngine(source.model, LinkClient(stream, TIMEOUT_S))


ENGINE = EngineKind(
    name=NAME,
    summary="the exported C behind the framed link, over a pipe",
    is_integer=True,
    extra="",
    exporter="c",
    open=open_engine,
)
