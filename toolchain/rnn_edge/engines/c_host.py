"""The exported C on this host: compiled into a shared library and called in this process."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.errors import EngineError, MissingDependencyError
from rnn_edge.exporters.c_source import sources_in
from rnn_edge.firmware.program import Recipe, build
from rnn_edge.registry import known
from rnn_edge.types import Array, QuantizedModel, Trace
from rnn_edge.types.saved_state import (
    DIGEST_BYTES,
    BlobStatus,
    blob_bytes,
    bytes_of,
    digest_bytes,
    refusal,
)

FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared")
_COMPILERS = ("cc", "gcc", "clang")


def host_compiler(engine: str = "c") -> list[str]:
    """Return the command of the host's C compiler: ``$CC``, or else cc, gcc or clang.

    Args:
        engine: What needs it, for messages.

    Raises:
        MissingDependencyError: If there is none, or ``$CC`` names none.
    """
    chosen = shlex.split(os.environ.get("CC", ""))
    if chosen:
        if shutil.which(chosen[0]) is None:
            raise MissingDependencyError(
                f"C compiler {chosen[0]!r} (from CC) not found; the engine {engine!r} needs one.",
                "set CC to a compiler that is installed, or unset it",
            )
        return chosen
    for name in _COMPILERS:
        if shutil.which(name) is not None:
            return [name]
    raise MissingDependencyError(
        f"No C compiler found ({known(_COMPILERS)}); the engine {engine!r} needs one.",
        "apt-get install gcc libc6-dev (Debian, Ubuntu, Raspberry Pi OS), or set CC",
    )


def library_recipe(engine: str, templates: tuple[str, ...], flags: tuple[str, ...] = ()) -> Recipe:
    """Return how this host's compiler makes a shared library.

    Args:
        engine: What it is for, for messages.
        templates: Its files of ``firmware_templates/``.
        flags: Options beside `FLAGS`.

    Raises:
        MissingDependencyError: If there is no compiler.
    """
    compiler = host_compiler(engine)
    return Recipe(
        target=engine,
        compiler=tuple(compiler),
        # With what $CC says besides: of "ccache gcc" it is gcc's version that counts.
        version=(*compiler[1:], "--version"),
        flags=(*FLAGS, *flags),
        templates=templates,
        suffix=".so",
    )


def build_library(model: QuantizedModel, exports: Path, work: Path) -> Path:
    """Compile an exported model into a shared library, once for the same sources and compiler.

    Args:
        model: The model that was exported.
        exports: The exporters' output folder.
        work: Where the library is kept.

    Returns:
        The library's absolute path.

    Raises:
        MissingDependencyError: If there is no compiler.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the library cannot be written.
    """
    recipe = library_recipe("c", ("host/harness.c",))
    return build(recipe, model.name, sources_in(model, exports), work)


def _pointer(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class CEngine(Engine):
    """Steps the exported C.

    Args:
        model: The model that was exported; the library must have been made of it.
        library: What `build_library` returned.

    Raises:
        EngineError: If the library is of another model or does not load.
    """

    def __init__(self, model: QuantizedModel, library: Path) -> None:
        self._model = model
        self._sizes = model.state_sizes
        self._values = sum(self._sizes.values())
        try:
            code = ctypes.CDLL(str(library))
            self._init = code[f"{model.name}_init"]
            self._reset = code[f"{model.name}_reset"]
            self._step = code[f"{model.name}_step"]
            self._save = code[f"{model.name}_save"]
            self._restore = code[f"{model.name}_restore"]
            self._run_all = code["rnn_edge_host_run"]
            self._run_last = code["rnn_edge_host_run_last"]
            digest = code["rnn_edge_host_digest"]
            scratch_values = code["rnn_edge_host_scratch_values"]
            self._description = ctypes.addressof(ctypes.c_char.in_dll(code, f"{model.name}_model"))
        except (OSError, AttributeError, ValueError) as error:
            raise EngineError(f"Library {library} does not load: {error}.") from error
        self._save.restype = ctypes.c_size_t
        self._run_all.restype = self._run_last.restype = None
        for function in (self._init, self._reset, self._step):
            function.restype = None
        digest.restype = ctypes.POINTER(ctypes.c_uint8 * DIGEST_BYTES)
        scratch_values.restype = ctypes.c_size_t
        # A library of a larger model would write beyond this one's memory.
        self._check_digest(library, bytes(digest(ctypes.c_void_p(self._description)).contents))
        # As the export says: that of an older version can need another scratch than today's.
        scratch = scratch_values(ctypes.c_void_p(self._description))
        self._memory = np.zeros(self._values + scratch, np.int16)
        # Fixed buffers: asking numpy for an address costs as much as a small model's step.
        self._x = np.zeros(model.inputs, np.int16)
        self._y = np.zeros(model.outputs, np.int16)
        self._addresses = tuple(_pointer(a) for a in (self._memory, self._x, self._y))
        self._init(_pointer(self._memory))

    @property
    def model(self) -> QuantizedModel:
        """The model that was exported."""
        return self._model

    def _check_digest(self, library: Path, found: bytes) -> None:
        if found != digest_bytes(self._model):
            raise EngineError(
                f"Library {library} was made of model {found.hex()}; "
                f"expected {digest_bytes(self._model).hex()}.",
                "export the model again",
            )

    def _checked(self, x: Array, shape: tuple[int, ...]) -> Array:
        frames = np.asarray(x)
        if frames.dtype != np.int16 or frames.shape != shape:
            raise EngineError(
                f"Input of {self._model.name}: {frames.dtype} {frames.shape}; "
                f"expected int16 {shape}."
            )
        return frames

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given int16 vectors by name.

        Raises:
            EngineError: If a name, dtype or length is not the model's.
        """
        given = dict(state or {})
        for name, value in given.items():
            vector = np.asarray(value)
            if name not in self._sizes:
                raise EngineError(f"Unknown state {name!r}; known are {known(list(self._sizes))}.")
            if vector.dtype != np.int16 or vector.size != self._sizes[name]:
                raise EngineError(
                    f"State {name} of {self._model.name}: {vector.dtype} {vector.shape}; "
                    f"expected int16 ({self._sizes[name]},)."
                )
        self._reset(_pointer(self._memory))
        for name, view in self._split(self._memory[: self._values]).items():
            if name in given:
                view[:] = np.asarray(given[name]).reshape(-1)

    def _split(self, values: Array) -> dict[str, Array]:
        """Return views of (..., V) state values by name, in the order of the C structure."""
        parts, at = {}, 0
        for name, size in self._sizes.items():
            parts[name] = values[..., at : at + size]
            at += size
        return parts

    def step(self, x: Array) -> Array:
        """Advance by one frame x int16 (D,) and return the output int16 (C,)."""
        self._x[:] = self._checked(x, (self._model.inputs,))
        self._step(*self._addresses)
        return self._y.copy()

    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name, int16 (H,)."""
        return self._split(self._memory[: self._values].copy())

    def save(self) -> bytes:
        """Return the state as the bytes that the C writes."""
        blob = np.zeros(blob_bytes(self._model), np.uint8)
        self._save(_pointer(self._memory), _pointer(blob))
        return blob.tobytes()

    def restore(self, blob: bytes) -> None:
        """Go on from a saved state, if the C takes it; else the state stays as it was.

        Raises:
            SavedStateError: If it is no bytes, damaged, or of another model or layout version.
        """
        blob = bytes_of(self._model, blob)
        status = self._restore(
            _pointer(self._memory), ctypes.c_char_p(blob), ctypes.c_size_t(len(blob))
        )
        if status != BlobStatus.OK:
            raise refusal(self._model, blob, BlobStatus(status))

    def run_last(self, x: Array) -> Array:
        """Advance by T frames x int16 (T, D) in one call into C; return the last output (C,)."""
        frames = np.ascontiguousarray(self._checked(x, (len(x), self._model.inputs)))
        self._run_last(
            ctypes.c_void_p(self._description),
            _pointer(self._memory),
            _pointer(self._memory[self._values :]),
            _pointer(frames),
            ctypes.c_size_t(len(frames)),
            _pointer(self._y),
        )
        return self._y.copy()

    def run(self, x: Array) -> Trace:
        """Advance by T frames x int16 (T, D) in one call into C."""
        steps = len(x)
        frames = np.ascontiguousarray(self._checked(x, (steps, self._model.inputs)))
        outputs = np.empty((steps, self._model.outputs), np.int16)
        states = np.empty((steps, self._values), np.int16)
        self._run_all(
            ctypes.c_void_p(self._description),
            _pointer(self._memory),
            _pointer(self._memory[self._values :]),
            _pointer(frames),
            ctypes.c_size_t(steps),
            _pointer(outputs),
            _pointer(states),
        )
        return Trace(outputs, self._split(states))


def open_engine(source: EngineSource) -> Engine:
    """Compile the exported model, unless that was done before, and load it."""
    library = build_library(source.model, source.exports, source.work)
    return CEngine(source.model, library)


ENGINE = EngineKind(
    name="c",
    summary="the exported C, compiled for this host",
    is_integer=True,
    extra="",
    exporter="c",
    open=open_engine,
)
