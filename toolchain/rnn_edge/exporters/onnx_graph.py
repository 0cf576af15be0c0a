"""Collects the nodes, constants and interface of an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnn_edge.extras import require
from rnn_edge.types import Array


class OnnxGraph:
    """A growing graph; every method that adds a value returns its name.

    Raises:
        MissingDependencyError: If onnx is not installed.
    """

    def __init__(self) -> None:
        self._onnx = require("onnx", "onnx", "writing an ONNX file")
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._scalars: dict[tuple[float, str], str] = {}
        self._shared: set[str] = set()
        self._uses: dict[str, int] = {}

    def constant(self, name: str, value: Array) -> str:
        """Store an array as it is."""
        self._constants.append(
            self._onnx.numpy_helper.from_array(np.asarray(value, order="C"), name)
        )
        return name

    def shared(self, name: str, value: Array) -> str:
        """Store an array that several parts of the graph read, once."""
        if name not in self._shared:
            self._shared.add(self.constant(name, value))
        return name

    def scalar(self, value: float, dtype: str = "float64") -> str:
        """Store one number; the same number is stored once."""
        key = (value, dtype)
        if key not in self._scalars:
            name = f"scalar_{len(self._scalars)}"
            self._scalars[key] = self.constant(name, np.asarray(value, dtype))
        return self._scalars[key]

    def node(self, kind: str, inputs: list[str], base: str, **attributes: object) -> str:
        """Add an operator with one output, named after ``base`` and the operator."""
        name = f"{base}_{kind.lower()}"
        self._uses[name] = self._uses.get(name, 0) + 1
        if self._uses[name] > 1:
            name = f"{name}_{self._uses[name]}"
        self._add(kind, inputs, [name], attributes)
        return name

    def split(self, x: str, outputs: list[str]) -> list[str]:
        """Cut the last axis into equal parts with the given names."""
        self._add("Split", [x], outputs, {"axis": -1})
        return outputs

    def cast(self, x: str, dtype: str, base: str) -> str:
        """Convert to another element type."""
        return self.node("Cast", [x], base, to=self._element(dtype))

    def input(self, name: str, dtype: str, shape: tuple[int | str, ...]) -> str:
        """Declare an input."""
        self._inputs.append(self._value(name, dtype, shape))
        return name

    def output(self, name: str, x: str, dtype: str, shape: tuple[int | str, ...]) -> None:
        """Declare an output: ``x`` converted to ``dtype``."""
        self._add("Cast", [x], [name], {"to": self._element(dtype)})
        self._outputs.append(self._value(name, dtype, shape))

    def model(self, name: str, opset: int, ir_version: int, properties: dict[str, str]) -> Any:  # noqa: ANN401 - onnx has no types
        """Return the checked ``onnx.ModelProto``."""
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, self._constants)
        proto = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=ir_version,
            producer_name="rnn-edge",
        )
        helper.set_model_props(proto, properties)
        self._onnx.checker.check_model(proto, full_check=True)
        return proto

    def _add(
        self, kind: str, inputs: list[str], outputs: list[str], attributes: dict[str, Any]
    ) -> None:
        name = f"node_{outputs[0]}"
        self._nodes.append(
            self._onnx.helper.make_node(kind, inputs, outputs, name=name, **attributes)
        )

    def _element(self, dtype: str) -> Any:  # noqa: ANN401 - onnx has no types
        return self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def _value(self, name: str, dtype: str, shape: tuple[int | str, ...]) -> Any:  # noqa: ANN401
        return self._onnx.helper.make_tensor_value_info(name, self._element(dtype), list(shape))
