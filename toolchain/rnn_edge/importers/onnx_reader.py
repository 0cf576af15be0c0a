"""Follows the frames through an ONNX graph, for one length of the sequence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnn_edge.importers.assembly import SHAPE, Assembly, refuse, refuse_bidirectional
from rnn_edge.importers.gates import ONNX, reordered
from rnn_edge.importers.onnx_file import DOMAINS, File, named
from rnn_edge.importers.onnx_signal import (
    Signal,
    Sizes,
    State,
    is_frames,
    is_sequence,
    of_last_step,
    of_layer,
    rows_of,
)
from rnn_edge.types import Array, CellKind, FloatModel, RecurrentWeights

RECURRENT = ("RNN", "GRU", "LSTM")
_SAME = frozenset({"Cast", "Dropout", "Identity"})
"""Operators that leave every number where it is."""
_MOVES = frozenset({"Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"})
"""Operators that move axes and keep every number."""
_CHOICES = frozenset({"Gather", "Slice", "Split"})
"""Operators that may leave numbers out, or repeat or reorder them."""
_ACTIVATIONS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_BLOCKS = {"RNN": 1, "GRU": 3, "LSTM": 4}
_BIAS, _LENGTHS, _INITIAL_H, _INITIAL_C, _PEEPHOLES = 3, 4, 5, 6, 7
_NO_LIMIT = 2**31 - 1
"""What exporters write as the end of a slice that goes to the end, or more than it."""
_FLOATS, _INTEGERS = ("FLOAT", "DOUBLE"), ("INT8", "INT16", "INT32", "INT64", "UINT8")

Value = Array | Signal | State


class Reader:
    """One walk through a graph.

    Attributes:
        frames: Name of the input that holds the frames.
        shapes: Shape of every input of the graph; None or a name where a length is free.
        sizes: Steps and streams, known from the first recurrent operator on.
        entry: Places in the input of what the first recurrent operator reads, int64 (T, B, D).
        outputs: Name to signal of every output of the graph that the dense layer is in.
        is_free: Whether the frames have a free length.
    """

    def __init__(
        self, file: File, shapes: Mapping[str, Sequence[int | str | None]], assembly: Assembly
    ) -> None:
        """Begin at the inputs; the first of ``shapes`` is that of the frames."""
        self._file = file
        self._assembly = assembly
        self.shapes = shapes
        self.frames = next(iter(shapes))
        shape = [length for length in shapes[self.frames] if isinstance(length, int)]
        if len(shape) != len(shapes[self.frames]):
            refuse(f"input {self.frames!r} has no number of features", "a fixed one")
        self._shape = shape
        self.sizes = Sizes(0, 0)
        self.entry: Array = np.zeros((0, 0, 0), np.int64)
        self.outputs: dict[str, Signal] = {}
        self._stage, self._dense_stage = 0, 0
        self._is_label = False
        self._values: dict[str, Value] = {**file.constants()}
        for name in shapes:
            self._values[name] = State(is_start=True)
        places = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
        self._values[self.frames] = Signal(places, shape[-1] if shape else 1, 0)
        self.is_free = self._has_free_length()

    def _has_free_length(self) -> bool:
        for item in self._file.graph.input:
            if item.name == self.frames:
                self._require_type(item)
                dims = item.type.tensor_type.shape.dim
                return not dims or any(dim.dim_value <= 0 for dim in dims)
        return True

    def _require_type(self, item: Any) -> None:  # noqa: ANN401 - onnx has no types
        kind = self._file.element(item.type.tensor_type.elem_type)
        if kind not in _FLOATS:
            refuse(f"input {item.name!r} has elements {kind}", " or ".join(_FLOATS))

    def read(self) -> FloatModel:
        """Return the model of the graph.

        Raises:
            ModelError: At the first thing that cannot be translated.
        """
        for node in self._file.graph.node:
            self._read(node)
        model = self._assembly.model()
        for item in self._file.graph.output:
            value = self._values.get(item.name)
            if value is None:
                refuse(f"output {item.name!r} is made by nothing", f"a chain: {SHAPE}")
            if isinstance(value, Signal) and value.stage >= self._dense_stage:
                if value.lost:
                    refuse(f"output {item.name!r} {value.lost}", "all outputs, or the last step's")
                if not is_sequence(value, self.sizes):
                    refuse(
                        f"output {item.name!r} has shape {value.places.shape} for "
                        f"{self.sizes.steps} steps of {self.sizes.streams} streams of "
                        f"{value.width} values, or them in another order",
                        "[steps, streams, values], [streams, steps, values] or [streams, values]",
                    )
                self.outputs[item.name] = value
        if all(value.stage != self._stage for value in self.outputs.values()):
            refuse("what the last operator of the chain gives is no output of the graph", SHAPE)
        return model

    def _read(self, node: Any) -> None:  # noqa: ANN401 - onnx has no types
        kind, what = node.op_type, named(node)
        if node.domain not in DOMAINS:
            refuse(f"{what} is of domain {node.domain!r}", "standard operators")
        values: dict[str, Value] = {}
        for item in node.input:
            if item and item not in self._values:
                refuse(f"{what} reads {item!r}, which nothing gives", "a complete graph")
            if item:
                values[item] = self._values[item]
        constants = {key: value for key, value in values.items() if isinstance(value, np.ndarray)}
        first = values.get(node.input[0]) if node.input else None
        signals = [value for value in values.values() if isinstance(value, Signal)]
        if len(constants) == len(values):
            self._values.update(self._file.run(node, constants))
        elif kind == "Shape" and isinstance(first, Signal):
            self._values.update(self._file.run(node, {node.input[0]: first.places}))
        elif kind in _SAME | _MOVES | _CHOICES and len(constants) == len(values) - 1:
            if isinstance(first, Signal):
                self._move(node, first, constants, what)
            elif isinstance(first, State):
                self._values.update({item: first for item in node.output if item})
            else:
                refuse(f"{what} is told by the frames what to do", "constant operands")
        elif not signals or (kind == "Concat" and self._are_ends(signals)):
            self._beside(node, kind, values, what)
        else:
            self._compute(node, values, what)

    def _are_ends(self, signals: Sequence[Signal]) -> bool:
        """Return whether signals are layers' last states, which graphs give out beside y."""
        return all(
            signal.stage
            and signal.places.size == self.sizes.streams * signal.width
            and self.sizes.steps > 1
            for signal in signals
        )

    def _beside(self, node: Any, kind: str, values: Mapping[str, Value], what: str) -> None:  # noqa: ANN401
        """Follow what is no signal: states that come in or go out."""
        if kind != "Concat":
            refuse(f"{what} computes with a state", "states that are read and given as they are")
        starts = [value.is_start for value in values.values() if isinstance(value, State)]
        is_start = len(starts) == len(values) and all(starts)
        self._values.update({item: State(is_start) for item in node.output if item})

    def _move(self, node: Any, signal: Signal, constants: Mapping[str, Array], what: str) -> None:  # noqa: ANN401
        kind, attributes = node.op_type, self._file.attributes(node)
        if kind == "Dropout" and any(bool(value.any()) for value in self._training(node)):
            refuse(f"{what} is in training mode", "a graph for inference")
        if kind == "Cast":
            element = self._file.element(attributes.get("to", 0))
            if element not in (_INTEGERS if self._is_label_of(signal) else _FLOATS):
                refuse(f"{what} converts to {element}", " or ".join(_FLOATS))
        if kind in _SAME:
            # The second output of a Dropout is its mask.
            for k, item in enumerate(node.output):
                self._values[item] = State(is_start=False) if k else signal
            return
        moved = self._file.run(node, {node.input[0]: signal.places, **constants})
        for item, places in moved.items():
            lost = signal.lost
            if kind in _CHOICES and not lost and not self._is_whole(node, signal, places):
                lost = f"was left without some values, or with them in another order, by {what}"
            self._values[item] = replace(signal, places=places, lost=lost)

    def _training(self, node: Any) -> list[Array]:  # noqa: ANN401 - onnx has no types
        found = [self._values.get(item) for item in node.input[2:] if item]
        return [value for value in found if isinstance(value, np.ndarray)]

    def _is_label_of(self, signal: Signal) -> bool:
        return self._is_label and signal.stage == self._stage

    def _is_whole(self, node: Any, signal: Signal, places: Array) -> bool:  # noqa: ANN401
        """Return whether a choice took everything, or the last step, in order."""
        if node.op_type == "Slice" and self.is_free and self._ends_early(node, signal):
            return False
        taken = places.ravel()
        if np.array_equal(taken, signal.places.ravel()):
            return True
        return signal.stage > 0 and np.array_equal(
            taken, of_last_step(signal.places, self.sizes, signal.width)
        )

    def _ends_early(self, node: Any, signal: Signal) -> bool:  # noqa: ANN401 - onnx has no types
        """Return whether a slice goes to a fixed step that a longer sequence would pass."""
        attributes = self._file.attributes(node)
        ends: Any = attributes.get("ends", [])
        if len(node.input) > 2:
            ends = self._values[node.input[2]]
        longest = max(signal.places.shape, default=0)
        return any(longest < int(end) < _NO_LIMIT for end in np.ravel(ends))

    def _compute(self, node: Any, values: Mapping[str, Value], what: str) -> None:  # noqa: ANN401
        """Add an operator that computes something to the assembly."""
        kind, attributes = node.op_type, self._file.attributes(node)
        for value in values.values():
            if isinstance(value, Signal) and value.lost:
                refuse(f"{what} reads what {value.lost}", "all values in order, or the last step")
            if isinstance(value, Signal) and value.stage != self._stage:
                refuse(f"{what} goes back to a value before the last layer", f"a chain: {SHAPE}")
        signal = values[node.input[0]]
        if kind == "Add" and not isinstance(signal, Signal):
            signal = values[node.input[1]]
        if not isinstance(signal, Signal):
            refuse(f"{what} does not read the frames first", f"a chain: {SHAPE}")
        if kind in RECURRENT:
            self._assembly.recurrent(self._recurrent(node, attributes, signal, what), what)
            return
        if kind not in ("MatMul", "Gemm", "Add", "Softmax", "ArgMax"):
            refuse(what, SHAPE)
        rows = rows_of(signal)
        if rows is None or not signal.stage:
            refuse(
                f"{what} reads values of shape {signal.places.shape} whose last axis is not the "
                f"{signal.width} of one step in order",
                "[..., values of one step]",
            )
        width, places = signal.width, signal.places
        if kind in ("MatMul", "Gemm"):
            width = self._dense(node, attributes, signal, what)
            places = rows[..., None] * width + np.arange(width)
            self._dense_stage = self._stage + 1
        elif kind == "Add":
            which = 1 if values[node.input[0]] is signal else 0
            self._assembly.bias(self._bias(node, which, signal, what), what)
        else:
            self._require_last_axis(attributes, kind, places.ndim, what)
            if kind == "ArgMax":
                if attributes.get("select_last_index", 0):
                    refuse(f"{what} has select_last_index 1", "0: the first of equals")
                width, places = 1, rows[..., None] if attributes.get("keepdims", 1) else rows
                self._is_label = True
            self._assembly.head("argmax" if kind == "ArgMax" else "softmax", what)
        self._stage += 1
        self._values[node.output[0]] = Signal(places, width, self._stage)

    def _require_last_axis(
        self, attributes: Mapping[str, Any], kind: str, axes: int, what: str
    ) -> None:
        """Refuse a softmax or an arg max over steps or streams.

        Source: ONNX operator specification, Softmax-1, Softmax-13 and ArgMax-1: the axis that is
        taken where none is given.
        """
        usual = 0 if kind == "ArgMax" else (-1 if self._file.opset >= 13 else 1)
        axis = attributes.get("axis", usual)
        if axis % axes != axes - 1 or not -axes <= axis < axes:
            refuse(f"{what} goes along axis {axis} of {axes}", "the last axis, the outputs")

    def _constant(self, node: Any, k: int, what: str) -> Array:  # noqa: ANN401 - no types
        value = self._values.get(node.input[k]) if len(node.input) > k else None
        if not isinstance(value, np.ndarray):
            refuse(f"{what} has an operand {k} that is not constant", "constant weights")
        return value

    def _dense(self, node: Any, attributes: Mapping[str, Any], signal: Signal, what: str) -> int:  # noqa: ANN401
        """Add the dense layer; return its outputs."""
        weight, bias = self._constant(node, 1, what), None
        if node.op_type == "Gemm":
            for key in ("alpha", "beta"):
                if attributes.get(key, 1.0) != 1.0:
                    refuse(f"{what} has {key} {attributes[key]}", "1")
            if attributes.get("transA", 0):
                refuse(f"{what} has transA 1", "0")
            if signal.places.ndim != 2:
                refuse(f"{what} reads values of shape {signal.places.shape}", "two axes")
            if attributes.get("transB", 0):
                weight = weight.T
            if len(node.input) > 2 and node.input[2]:
                bias = node.input[2]
        if weight.ndim != 2 or weight.shape[0] != signal.width or not weight.shape[1]:
            refuse(f"{what} has weights {weight.shape}", f"({signal.width}, outputs)")
        self._assembly.dense(weight.T, None, what)
        width = int(weight.shape[1])
        if bias is not None:
            wide = Signal(np.zeros((*signal.places.shape[:-1], width), np.int64), width, 0)
            self._assembly.bias(self._bias(node, 2, wide, what), what)
        return width

    def _bias(self, node: Any, k: int, signal: Signal, what: str) -> Array:  # noqa: ANN401
        """Return a constant that is added alike at every step, float (C,) or (1,)."""
        bias = self._constant(node, k, what)
        is_alike = bias.size == (bias.shape[-1] if bias.ndim else 1)
        if bias.size not in (1, signal.width) or not is_alike or bias.ndim > signal.places.ndim:
            refuse(f"{what} adds values of shape {bias.shape}", f"({signal.width},)")
        return bias

    def _recurrent(
        self,
        node: Any,  # noqa: ANN401 - onnx has no types
        attributes: Mapping[str, Any],
        signal: Signal,
        what: str,
    ) -> RecurrentWeights:
        kind = node.op_type
        self._require_options(node, attributes, what)
        cells: dict[str, CellKind] = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru_reset_before"}
        cell = cells[kind]
        if kind == "GRU" and attributes.get("linear_before_reset", 0):
            cell = "gru"
        w, r = self._constant(node, 1, what), self._constant(node, 2, what)
        hidden = int(r.shape[-1]) if r.ndim else 0
        rows = _BLOCKS[kind] * hidden
        bias = np.zeros((1, 2 * rows), np.float32)
        if len(node.input) > _BIAS and node.input[_BIAS]:
            bias = self._constant(node, _BIAS, what)
        features = int(w.shape[-1]) if w.ndim else 0
        for value, wanted in (
            (w, (1, rows, features)),
            (r, (1, rows, hidden)),
            (bias, (1, 2 * rows)),
        ):
            if value.shape != wanted or not hidden or not features:
                refuse(f"{what} has weights of shape {value.shape}", f"{wanted}")
        if attributes.get("hidden_size", hidden) != hidden:
            refuse(f"{what} has hidden_size {attributes['hidden_size']}", f"{hidden}, its weights'")
        is_batch_first = bool(attributes.get("layout", 0))
        self._enter(signal, features, is_batch_first, what)
        self._require_memory(node, what)
        self._leave(node, hidden, is_batch_first)
        arrays = (reordered(v, cell, ONNX[cell]) for v in (w[0], r[0], *np.split(bias[0], 2)))
        return RecurrentWeights(cell, *arrays)

    def _enter(self, signal: Signal, features: int, is_batch_first: bool, what: str) -> None:
        """Refuse to read anything but all frames, or all of the layer before, in order."""
        places = signal.places
        if is_batch_first and places.ndim == 3:
            places = places.transpose(1, 0, 2)
        if places.ndim != 3 or places.shape[2] != features:
            refuse(
                f"{what} reads values of shape {signal.places.shape}",
                f"three axes, the last of length {features}, its weights'",
            )
        if not signal.stage:
            is_whole = is_frames(places, self._shape)
            self.sizes, self.entry = Sizes(places.shape[0], places.shape[1]), places
        else:
            is_whole = np.array_equal(places, of_layer(self.sizes, signal.width))
        if not is_whole:
            refuse(
                f"{what} reads the values of its input in another order, or the last step alone",
                "[steps, streams, features], every step from the first on",
            )

    def _require_memory(self, node: Any, what: str) -> None:  # noqa: ANN401
        """Refuse a layer that forgets everything after each frame."""
        start = node.input[_INITIAL_H] if len(node.input) > _INITIAL_H else ""
        if self.sizes.steps == 1 and not isinstance(self._values.get(start), State):
            refuse(
                f"{what} reads sequences of one step and starts each from zero",
                "sequences of more steps, or initial states that are inputs of the graph",
            )

    def _leave(self, node: Any, hidden: int, is_batch_first: bool) -> None:  # noqa: ANN401
        """Give out the sequence (T, 1, B, H), the last step (1, B, H) and the cell.

        With layout 1: (B, T, 1, H) and (B, 1, H).
        Source: ONNX operator specification, LSTM-14, attribute ``layout``.
        """
        self._stage += 1
        places = of_layer(self.sizes, hidden)
        sequence, last = places[:, None], places[-1:]
        if is_batch_first:
            sequence, last = places.transpose(1, 0, 2)[:, :, None], last.transpose(1, 0, 2)
        values: tuple[Value, ...] = (
            Signal(sequence, hidden, self._stage),
            Signal(last, hidden, self._stage),
            State(is_start=False),
        )
        for item, value in zip(node.output, values, strict=False):
            if item:
                self._values[item] = value

    def _require_options(self, node: Any, attributes: Mapping[str, Any], what: str) -> None:  # noqa: ANN401
        kind = node.op_type
        direction = attributes.get("direction", "forward")
        if direction != "forward":
            refuse_bidirectional(f"{what} has direction {direction!r}")
        activations = attributes.get("activations", _ACTIVATIONS[kind])
        if [name.lower() for name in activations] != [n.lower() for n in _ACTIVATIONS[kind]]:
            refuse(f"{what} has activations {activations}", f"{_ACTIVATIONS[kind]}")
        # A clip that is infinite cuts nothing off.
        if attributes.get("clip", math.inf) != math.inf:
            refuse(f"{what} has clip {attributes['clip']}", "none")
        if attributes.get("input_forget", 0):
            refuse(f"{what} has input_forget {attributes['input_forget']}", "none")
        if len(node.input) > _LENGTHS and node.input[_LENGTHS]:
            refuse(
                f"{what} has sequence_lens {node.input[_LENGTHS]!r}",
                "none: every stream as long as the input",
            )
        for k in (_INITIAL_H, _INITIAL_C):
            if len(node.input) > k and node.input[k]:
                value = self._values[node.input[k]]
                if isinstance(value, np.ndarray) and value.any():
                    refuse(f"{what} starts from a constant state", "a state of zeros, or an input")
                if isinstance(value, Signal) or (isinstance(value, State) and not value.is_start):
                    refuse(f"{what} starts from another layer", "a state of zeros, or an input")
        if len(node.input) > _PEEPHOLES and node.input[_PEEPHOLES]:
            value = self._values[node.input[_PEEPHOLES]]
            if not isinstance(value, np.ndarray) or value.any():
                refuse(f"{what} has peepholes", "an LSTM without")
