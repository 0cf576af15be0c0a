"""ONNX, float32: standard GRU, LSTM and RNN operators with explicit state.

``model_float.onnx`` has the inputs ``x`` (T, B, D) and ``h0_in`` (1, B, H) (``c0_in``, ``h1_in``,
...), the outputs ``y`` (T, B, C), ``h0_out``, ..., and ``label``, int64 (T, B), where the model
decides. T and B are free: one frame at a time, or a whole sequence, with the state after it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from rnn_edge.cells import CELLS
from rnn_edge.exporters.base import Artifact, Exporter, ExportSource
from rnn_edge.exporters.output import write_bytes
from rnn_edge.extras import require
from rnn_edge.types import GATES, Array, CellKind, FloatModel, RecurrentWeights

FILE = "model_float.onnx"
FORMAT = "rnn-edge float onnx 1"
OPSET = 17
IR_VERSION = 8
"""The pair that onnxruntime 1.12 and later read."""

GATE_ORDER: MappingProxyType[CellKind, str] = MappingProxyType(
    {"gru": "zrn", "gru_reset_before": "zrn", "lstm": "iofg", "rnn": "n"}
)
"""ONNX's order of the gates, in our letters (it calls our n "h" and our g "c").

Source: ONNX operator specification, GRU-14, LSTM-14 and RNN-14.
"""
OPERATORS: MappingProxyType[CellKind, tuple[str, dict[str, int]]] = MappingProxyType(
    {
        # The reset gate multiplies the recurrent product, bias included, or what goes into it.
        "gru": ("GRU", {"linear_before_reset": 1}),
        "gru_reset_before": ("GRU", {"linear_before_reset": 0}),
        "lstm": ("LSTM", {}),
        "rnn": ("RNN", {}),
    }
)
"""Operator of each cell and the attributes that tell it from others of the same operator."""


def _reordered(kind: CellKind, value: Array) -> Array:
    """Return a copy of a (G*H, ...) array with its gate blocks in ONNX's order."""
    blocks = dict(zip(GATES[kind], np.split(value, len(GATES[kind])), strict=True))
    return np.concatenate([blocks[gate] for gate in GATE_ORDER[kind]])


class _Graph:
    """Nodes, constants and interface of the growing model."""

    def __init__(self, onnx: Any) -> None:  # noqa: ANN401 - onnx has no types
        self._onnx = onnx
        self._helper = onnx.helper
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: object) -> None:
        self.nodes.append(
            self._helper.make_node(kind, inputs, outputs, name=f"node_{outputs[0]}", **attributes)
        )

    def value(self, name: str, *shape: int | str, element: str = "FLOAT") -> Any:  # noqa: ANN401 - onnx has no types
        code = getattr(self._onnx.TensorProto, element)
        return self._helper.make_tensor_value_info(name, code, list(shape))

    def layer(self, k: int, weights: RecurrentWeights, x: str) -> str:
        """Add a recurrent layer; return the name of its hidden sequence (T, B, H)."""
        kind = weights.kind
        letters = CELLS[kind].states
        operator, attributes = OPERATORS[kind]
        # The leading 1 counts directions.
        parameters = [
            self.constant(f"l{k}_w", _reordered(kind, weights.w_x)[None]),
            self.constant(f"l{k}_r", _reordered(kind, weights.w_h)[None]),
            self.constant(
                f"l{k}_b",
                np.concatenate([_reordered(kind, weights.b_x), _reordered(kind, weights.b_h)])[
                    None
                ],
            ),
        ]
        entering = [f"{letter}{k}_in" for letter in letters]
        leaving = [f"{letter}{k}_out" for letter in letters]
        no_lengths = ""
        self.node(
            operator,
            [x, *parameters, no_lengths, *entering],
            [f"l{k}_directions", *leaving],
            hidden_size=weights.hidden,
            **attributes,
        )
        self.inputs += [self.value(name, 1, "B", weights.hidden) for name in entering]
        self.outputs += [self.value(name, 1, "B", weights.hidden) for name in leaving]
        self.node("Squeeze", [f"l{k}_directions", "direction_axis"], [f"l{k}_h"])
        return f"l{k}_h"


def build(model: FloatModel, features: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - onnx has no types
    """Return the checked ``onnx.ModelProto``.

    Args:
        model: The model.
        features: What computes a frame, see `ExportSource`.
    """
    onnx = require("onnx", "onnx", "writing an ONNX file")
    graph = _Graph(onnx)
    graph.inputs.append(graph.value("x", "T", "B", model.inputs))
    graph.outputs.append(graph.value("y", "T", "B", model.outputs))
    graph.constant("direction_axis", np.asarray([1], np.int64))
    signal = "x"
    for k, weights in enumerate(model.layers):
        signal = graph.layer(k, weights, signal)
    graph.node("MatMul", [signal, graph.constant("head_w", model.head.w.T)], ["head_product"])
    logits = "logits" if model.head_kind == "softmax" else "y"
    graph.node("Add", ["head_product", graph.constant("head_b", model.head.b)], [logits])
    if model.head_kind == "softmax":
        graph.node("Softmax", [logits], ["y"], axis=-1)
    elif model.head_kind == "argmax":
        graph.node("ArgMax", ["y"], ["label"], axis=-1, keepdims=0, select_last_index=0)
        graph.outputs.append(graph.value("label", "T", "B", element="INT64"))
    proto = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes, model.name, graph.inputs, graph.outputs, graph.constants
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rnn-edge",
    )
    onnx.helper.set_model_props(
        proto,
        {
            "features": json.dumps(features, sort_keys=True),
            "format": FORMAT,
            "labels": json.dumps(list(model.labels)),
            "model_digest": model.digest(),
            "name": model.name,
            "task": model.task,
        },
    )
    onnx.checker.check_model(proto, full_check=True)
    return proto


def add_properties(proto: Any, values: Mapping[str, object]) -> None:  # noqa: ANN401 - onnx has no types
    """Put further values into a model's metadata, as JSON."""
    for key, value in sorted(values.items()):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value, sort_keys=True)


def export(source: ExportSource, folder: Path) -> Artifact:
    """Write `FILE` into ``folder``.

    Raises:
        MissingDependencyError: If onnx is not installed.
    """
    proto = build(source.float_model, source.features)
    add_properties(proto, source.policy_metadata)
    write_bytes(folder / FILE, proto.SerializeToString(deterministic=True))
    return Artifact("onnx", (FILE,), source.float_model.digest())


EXPORTER = Exporter("onnx", "ONNX GRU/LSTM/RNN in float32, explicit state", "onnx", export)
