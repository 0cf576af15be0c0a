"""From ONNX: a file with the operators RNN, GRU or LSTM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.extras import require
from rnn_edge.importers.assembly import SHAPE, Assembly, refuse, refuse_bidirectional
from rnn_edge.importers.gates import ONNX, reordered
from rnn_edge.types import Array, CellKind, FloatModel, RecurrentWeights, Task

_RECURRENT = ("RNN", "GRU", "LSTM")
_MOVES = frozenset(
    {
        "Cast",
        "Dropout",
        "Flatten",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    }
)
"""Operators that choose steps and move axes, and leave numbers as they are."""
_ACTIVATIONS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_BIAS, _LENGTHS, _INITIAL_H, _INITIAL_C, _PEEPHOLES = 3, 4, 5, 6, 7


def from_onnx(
    path: Path | str,
    name: str = "model",
    labels: Sequence[str] | None = None,
    task: Task = "kws",
) -> FloatModel:
    """Return the float model of an ONNX file.

    The operators RNN, GRU (``linear_before_reset`` 0 and 1) and LSTM, forward, then MatMul with Add
    or Gemm, then nothing, Softmax or ArgMax. Operators that only move axes or choose steps may
    stand between them. Initial states are zero, or inputs of the graph.

    Args:
        path: The file.
        name: Name of the model, a C identifier.
        labels: Names of the outputs; numbers by default.
        task: What the outputs are.

    Raises:
        MissingDependencyError: If onnx is not installed.
        ModelError: If the file cannot be read, or an operator or an option has no exact
            counterpart.
    """
    onnx = require("onnx", "onnx", "reading an ONNX file")
    messages = require("google.protobuf.message", "onnx", "reading an ONNX file")
    try:
        graph = onnx.load(str(path)).graph
    except (OSError, messages.DecodeError) as error:
        raise ModelError(f"Import of {path}: {error}; expected an ONNX file.") from error
    assembly = Assembly(name, task, labels)
    _Reader(onnx, graph, assembly).read()
    return assembly.model()


class _Reader:
    """Follows the frames through a graph.

    Attributes:
        constants: Values that do not depend on any input.
        here: Names of the signal as it now is; every other value that came from the frames is
            behind it.
        behind: Names of what the signal was before.
    """

    def __init__(self, onnx: Any, graph: Any, assembly: Assembly) -> None:  # noqa: ANN401
        self._onnx = onnx
        self._graph = graph
        self._assembly = assembly
        self.constants: dict[str, Array] = {
            item.name: onnx.numpy_helper.to_array(item) for item in graph.initializer
        }
        states = {
            node.input[k]
            for node in graph.node
            if node.op_type in _RECURRENT
            for k in (_INITIAL_H, _INITIAL_C)
            if len(node.input) > k
        }
        inputs = [item.name for item in graph.input if item.name not in self.constants]
        self.here = {item for item in inputs if item not in states}
        self.behind: set[str] = set()

    def read(self) -> None:
        """Add every layer to the assembly.

        Raises:
            ModelError: At the first thing that cannot be translated.
        """
        for node in self._graph.node:
            if all(item in self.constants for item in node.input if item):
                self._fold(node)
            elif any(item in self.here for item in node.input):
                self._follow(node)
            elif node.op_type != "Shape" and any(item in self.behind for item in node.input):
                what = _named(node)
                refuse(f"{what} goes back to a value before the last layer", f"a chain: {SHAPE}")

    def _fold(self, node: Any) -> None:  # noqa: ANN401 - onnx has no types
        """Compute an operator on constants, as exporters leave some among the weights."""
        helper, inputs = self._onnx.helper, [item for item in node.input if item]
        element = helper.np_dtype_to_tensor_dtype
        values = {item: self.constants[item] for item in inputs}
        declared = [
            helper.make_tensor_value_info(item, element(value.dtype), value.shape)
            for item, value in values.items()
        ]
        outputs = [self._onnx.ValueInfoProto(name=item) for item in node.output if item]
        graph = helper.make_graph([node], "constants", declared, outputs)
        reference = require("onnx.reference", "onnx", "reading an ONNX file")
        evaluator = reference.ReferenceEvaluator(helper.make_model(graph))
        names = [item.name for item in outputs]
        self.constants.update(zip(names, evaluator.run(names, values), strict=True))

    def _follow(self, node: Any) -> None:  # noqa: ANN401 - onnx has no types
        kind, what = node.op_type, _named(node)
        if kind == "Shape":
            return
        if kind in _MOVES:
            self.here.update(item for item in node.output if item)
            return
        attributes = _attributes(self._onnx, node)
        if kind in _RECURRENT:
            self._assembly.recurrent(self._recurrent(node, attributes, what), what)
        elif kind == "MatMul":
            self._assembly.dense(self._constant(node, 1, what).T, None, what)
        elif kind == "Gemm":
            self._gemm(node, attributes, what)
        elif kind == "Add":
            which = 1 if node.input[0] in self.here else 0
            self._assembly.bias(self._constant(node, which, what), what)
        elif kind == "Softmax":
            self._assembly.head("softmax", what)
        elif kind == "ArgMax":
            if attributes.get("select_last_index", 0):
                refuse(f"{what} has select_last_index 1", "0: the first of equals")
            self._assembly.head("argmax", what)
        else:
            refuse(what, SHAPE)
        self.behind |= self.here
        self.here = {item for item in node.output if item}
        if kind == "LSTM" and len(node.output) > 2:
            # The cell goes out of the model and nowhere else.
            self.here.discard(node.output[2])

    def _constant(self, node: Any, k: int, what: str) -> Array:  # noqa: ANN401 - no types
        if len(node.input) <= k or node.input[k] not in self.constants:
            refuse(f"{what} has an operand {k} that is not constant", "constant weights")
        return self.constants[node.input[k]]

    def _gemm(self, node: Any, attributes: Mapping[str, Any], what: str) -> None:  # noqa: ANN401
        for key in ("alpha", "beta"):
            if attributes.get(key, 1.0) != 1.0:
                refuse(f"{what} has {key} {attributes[key]}", "1")
        if attributes.get("transA", 0):
            refuse(f"{what} has transA 1", "0")
        weight = self._constant(node, 1, what)
        bias = self._constant(node, 2, what) if len(node.input) > 2 and node.input[2] else None
        self._assembly.dense(weight if attributes.get("transB", 0) else weight.T, None, what)
        if bias is not None:
            self._assembly.bias(bias, what)

    def _recurrent(
        self,
        node: Any,  # noqa: ANN401 - onnx has no types
        attributes: Mapping[str, Any],
        what: str,
    ) -> RecurrentWeights:
        kind = node.op_type
        if node.input[0] not in self.here:
            refuse(f"{what} does not read the frames", f"a chain: {SHAPE}")
        direction = attributes.get("direction", "forward")
        if direction != "forward":
            refuse_bidirectional(f"{what} has direction {direction!r}")
        activations = attributes.get("activations", _ACTIVATIONS[kind])
        if [name.lower() for name in activations] != [n.lower() for n in _ACTIVATIONS[kind]]:
            refuse(f"{what} has activations {activations}", f"{_ACTIVATIONS[kind]}")
        for key in ("clip", "input_forget"):
            if attributes.get(key, 0):
                refuse(f"{what} has {key} {attributes[key]}", "none")
        if self._is_set(node, _PEEPHOLES):
            refuse(f"{what} has peepholes", "an LSTM without")
        for k in (_INITIAL_H, _INITIAL_C):
            if len(node.input) > k and self._is_set(node, k):
                refuse(f"{what} starts from a constant state", "a state of zeros, or an input")
        cells: dict[str, CellKind] = {"RNN": "rnn", "LSTM": "lstm", "GRU": "gru_reset_before"}
        cell = cells[kind]
        if kind == "GRU" and attributes.get("linear_before_reset", 0):
            cell = "gru"
        w_x, w_h = self._constant(node, 1, what)[0], self._constant(node, 2, what)[0]
        biases = np.zeros(2 * len(w_x), np.float32)
        if len(node.input) > _BIAS and node.input[_BIAS]:
            biases = self._constant(node, _BIAS, what)[0]
        b_x, b_h = np.split(biases, 2)
        arrays = (reordered(value, cell, ONNX[cell]) for value in (w_x, w_h, b_x, b_h))
        return RecurrentWeights(cell, *arrays)

    def _is_set(self, node: Any, k: int) -> bool:  # noqa: ANN401 - onnx has no types
        """Return whether an optional operand is a constant other than zero."""
        if len(node.input) <= k or node.input[k] not in self.constants:
            return False
        return bool(np.any(self.constants[node.input[k]]))


def _named(node: Any) -> str:  # noqa: ANN401 - onnx has no types
    return f"ONNX operator {node.name or node.output[0]!r} ({node.op_type})"


def _attributes(onnx: Any, node: Any) -> dict[str, Any]:  # noqa: ANN401 - onnx has no types
    """Return attributes as Python values, texts decoded."""

    def plain(value: Any) -> Any:  # noqa: ANN401 - any attribute
        if isinstance(value, bytes):
            return value.decode()
        return [plain(item) for item in value] if isinstance(value, list) else value

    return {item.name: plain(onnx.helper.get_attribute_value(item)) for item in node.attribute}
