"""The float model in C on this host, for streams that are too long for an interpreter.

Hand-written C with the cells' equations (``firmware_templates/host/float_*``), compiled once and
given the weights as they are: nothing is generated, and one library serves every model.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.c_host import library_recipe
from rnn_edge.engines.layout import StreamLayout
from rnn_edge.errors import EngineError
from rnn_edge.firmware.program import build
from rnn_edge.types import Array, FloatModel, RecurrentWeights, Trace

NAME = "c-float"
TEMPLATES = tuple(
    f"host/{name}"
    for name in ("float_activation.h", "float_cells.c", "float_model.c", "float_model.h")
)
FLAGS = ("-ffp-contract=off", "-fno-trapping-math")
"""A product fused with a sum would be rounded once less, where the processor can do so. That no
comparison traps changes no value; gcc vectorises the limits of an exponent only then."""
CELLS = ("gru", "gru_reset_before", "lstm", "rnn")
"""In the order of ``float_model.h``."""


class _Matrix(ctypes.Structure):
    _fields_ = (
        ("blocks", ctypes.c_uint32),
        ("columns", ctypes.c_uint32),
        ("weights", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
    )


class _Layer(ctypes.Structure):
    _fields_ = (
        ("cell", ctypes.c_uint32),
        ("units", ctypes.c_uint32),
        ("x", _Matrix),
        ("h", _Matrix),
        ("candidate", _Matrix),
    )


class _Model(ctypes.Structure):
    _fields_ = (
        ("layer_count", ctypes.c_uint32),
        ("outputs", ctypes.c_uint32),
        ("has_softmax", ctypes.c_uint32),
        ("layers", ctypes.POINTER(_Layer)),
        ("head", _Matrix),
    )


class _Memory:
    """The C's description of a model, and the arrays that it points into.

    Args:
        model: The model.
        block: Rows that the C sums together.
    """

    def __init__(self, model: FloatModel, block: int) -> None:
        self._block = block
        self._arrays: list[Array] = []
        self._layers = (_Layer * len(model.layers))(*(self._layer(each) for each in model.layers))
        self.description = _Model(
            len(model.layers),
            model.outputs,
            model.head_kind == "softmax",
            self._layers,
            self._matrix(model.head.w, model.head.b),
        )

    def _layer(self, layer: RecurrentWeights) -> _Layer:
        rows = len(layer.b_h)
        # This cell multiplies the candidate's rows with another vector than the gates' rows.
        gates = rows - layer.hidden if layer.kind == "gru_reset_before" else rows
        return _Layer(
            CELLS.index(layer.kind),
            layer.hidden,
            self._matrix(layer.w_x, layer.b_x),
            self._matrix(layer.w_h[:gates], layer.b_h[:gates]),
            self._matrix(layer.w_h[gates:], layer.b_h[gates:]),
        )

    def _matrix(self, w: Array, b: Array) -> _Matrix:
        rows, columns = w.shape
        blocks = -(-rows // self._block)
        weights = np.zeros((blocks * self._block, columns), np.float32)
        weights[:rows] = w
        bias = np.zeros(blocks * self._block, np.float32)
        bias[:rows] = b
        by_column = weights.reshape(blocks, self._block, columns).transpose(0, 2, 1)
        weights = np.ascontiguousarray(by_column)
        self._arrays += [weights, bias]
        return _Matrix(blocks, columns, weights.ctypes.data, bias.ctypes.data)


class CFloatEngine(Engine):
    """Steps a float model in C.

    Args:
        layout: The model's interface.
        model: The model.
        library: What `build_float_library` returned.

    Raises:
        EngineError: If the library does not load.
    """

    def __init__(self, layout: StreamLayout, model: FloatModel, library: Path) -> None:
        self._layout = layout
        try:
            code = ctypes.CDLL(str(library))
            self._run_all = code["rnn_edge_float_run"]
            self._run_last = code["rnn_edge_float_run_last"]
            block = code["rnn_edge_float_block"]
            scratch_values = code["rnn_edge_float_scratch_values"]
        except (OSError, AttributeError) as error:
            raise EngineError(f"Library {library} does not load: {error}.") from error
        block.restype = ctypes.c_uint32
        scratch_values.restype = ctypes.c_size_t
        self._run_all.restype = self._run_last.restype = None
        self._memory = _Memory(model, block())
        self._model = ctypes.byref(self._memory.description)
        self._state = np.zeros(sum(layout.states.values()), np.float32)
        self._scratch = np.empty(scratch_values(self._model), np.float32)
        # Fixed buffers: asking numpy for an address costs as much as a small model's step.
        self._x = np.zeros((1, layout.inputs), np.float32)
        self._y = np.zeros(layout.outputs, np.float32)
        self._after = np.empty_like(self._state)
        self._arguments = self._call(self._x, self._y, self._after)

    def _call(self, x: Array, *results: Array) -> tuple[object, ...]:
        """Return the arguments of a call into C over frames (T, D)."""
        return (
            self._model,
            ctypes.c_void_p(self._state.ctypes.data),
            ctypes.c_void_p(self._scratch.ctypes.data),
            ctypes.c_void_p(x.ctypes.data),
            ctypes.c_size_t(len(x)),
            *(ctypes.c_void_p(result.ctypes.data) for result in results),
        )

    def reset(self, state: Mapping[str, Array] | None = None) -> None:
        """Set the state to zero, or to the given float32 vectors by name.

        Raises:
            EngineError: If a name, dtype or length is not the model's.
        """
        whole = self._layout.state(state)
        for name, view in self._split(self._state).items():
            view[:] = whole[name]

    def _split(self, values: Array) -> dict[str, Array]:
        """Return views of (..., V) state values by name, in the order of the C."""
        parts, at = {}, 0
        for name, size in self._layout.states.items():
            parts[name] = values[..., at : at + size]
            at += size
        return parts

    def state(self) -> dict[str, Array]:
        """Return a copy of the state by name, float32 (H,)."""
        return self._split(self._state.copy())

    def step(self, x: Array) -> Array:
        """Advance by one frame x float32 (D,) and return the output float32 (C,).

        Raises:
            EngineError: If it has another shape or dtype.
        """
        self._x[0] = self._layout.frame(x)
        self._run_all(*self._arguments)
        return self._y.copy()

    def run(self, x: Array) -> Trace:
        """Advance by T frames x float32 (T, D) in one call into C.

        Raises:
            EngineError: If they have another shape or dtype.
        """
        frames = np.ascontiguousarray(self._layout.frames(x))
        outputs = np.empty((len(frames), self._layout.outputs), np.float32)
        states = np.empty((len(frames), len(self._state)), np.float32)
        self._run_all(*self._call(frames, outputs, states))
        return Trace(outputs, self._split(states))

    def run_last(self, x: Array) -> Array:
        """Advance by T frames x float32 (T, D), T at least 1; return the last output (C,).

        Raises:
            EngineError: If they have another shape or dtype.
        """
        frames = np.ascontiguousarray(self._layout.frames(x))
        self._run_last(*self._call(frames, self._y))
        return self._y.copy()


def build_float_library(work: Path) -> Path:
    """Compile the float model's C into a shared library, once for the same compiler.

    Args:
        work: Where the library is kept.

    Returns:
        The library's absolute path.

    Raises:
        MissingDependencyError: If there is no compiler.
        EngineError: If it does not compile.
        EnvironmentFailureError: If the library cannot be written.
    """
    return build(library_recipe(NAME, TEMPLATES, FLAGS), "float_model", [], work)


def open_engine(source: EngineSource) -> Engine:
    """Compile the library, unless that was done before, and hand it the model's weights."""
    layout = StreamLayout.of_float(source.float_model, source.model)
    return CFloatEngine(layout, source.float_model, build_float_library(source.work))


ENGINE = EngineKind(
    name=NAME,
    summary="the float model in C, compiled for this host",
    is_integer=False,
    extra="",
    exporter="",
    open=open_engine,
)
