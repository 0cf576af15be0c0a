"""What an ONNX file holds: its graph, its constants, and operators on constants."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.extras import require
from rnn_edge.importers.assembly import refuse
from rnn_edge.types import Array

DOMAINS = ("", "ai.onnx")
OLDEST_OPSET = 7
"""Before it, recurrent operators and Dropout had other attributes."""
_RANDOM = (
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
)
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What onnx's own evaluator ends in where an operator cannot run."""


def load(source: Any) -> Any:  # noqa: ANN401 - onnx has no types
    """Return the ``onnx.ModelProto`` of a file, or the one that was given.

    Raises:
        MissingDependencyError: If onnx is not installed.
        ModelError: If it is neither, or cannot be read.
    """
    onnx = require("onnx", "onnx", "reading an ONNX file")
    if isinstance(source, onnx.ModelProto):
        return source
    if not isinstance(source, str | os.PathLike):
        hint = "for bytes, hand over onnx.load_from_string(...)"
        refuse(f"{type(source).__name__}", "the path of an ONNX file or an onnx.ModelProto", hint)
    messages = require("google.protobuf.message", "onnx", "reading an ONNX file")
    path = Path(source)
    try:
        if path.is_file() and not path.stat().st_size:
            raise ModelError(f"Import of {path}: empty file; expected an ONNX file.")
        model = onnx.load(str(path))
    except (OSError, ValueError, messages.DecodeError, onnx.checker.ValidationError) as error:
        reason = first_line(error)
        raise ModelError(f"Import of {path}: {reason}; expected an ONNX file.") from error
    if not model.graph.node:
        raise ModelError(f"Import of {path}: no operators; expected an ONNX file.")
    return model


class File:
    """A model file whose version is one that can be read.

    Attributes:
        graph: Its ``GraphProto``.
        opset: Version of the standard operators.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - onnx has no types
        """Take a ``ModelProto``.

        Raises:
            ModelError: If its version is unknown, or it holds what no chain of layers has.
        """
        self._onnx = require("onnx", "onnx", "reading an ONNX file")
        self._opsets = list(model.opset_import)
        versions = [item.version for item in self._opsets if item.domain in DOMAINS]
        newest = self._onnx.defs.onnx_opset_version()
        if not versions or not OLDEST_OPSET <= versions[0] <= newest:
            found = f"opset {versions[0]}" if versions else "no opset of the standard operators"
            refuse(found, f"{OLDEST_OPSET} to {newest}, which the installed onnx knows")
        self.opset: int = versions[0]
        self.graph = model.graph
        if self.graph.sparse_initializer:
            refuse("sparse weights", "dense ones")

    def constants(self) -> dict[str, Array]:
        """Return the initializers by name.

        Raises:
            ModelError: If one does not hold what it says.
        """
        values: dict[str, Array] = {}
        for item in self.graph.initializer:
            try:
                values[item.name] = np.array(self._onnx.numpy_helper.to_array(item))
            except (*_FAILURES, OSError, self._onnx.checker.ValidationError) as error:
                refuse(
                    f"ONNX initializer {item.name!r}: {first_line(error)}",
                    f"the numbers of a tensor {tuple(item.dims)}",
                )
        return values

    def run(self, node: Any, values: Mapping[str, Array]) -> dict[str, Array]:  # noqa: ANN401
        """Return what an operator gives, by name.

        Args:
            node: The operator.
            values: Its operands by name.

        Raises:
            ModelError: If it is random, holds a graph, or cannot run.
        """
        what = named(node)
        if node.op_type in _RANDOM or not (values or node.op_type == "Constant"):
            refuse(f"{what} gives other values at every call", "constants")
        types = self._onnx.AttributeProto
        if any(item.type in (types.GRAPH, types.GRAPHS) for item in node.attribute):
            refuse(f"{what} holds a graph of its own", "operators in a chain")
        helper = self._onnx.helper
        outputs = [item for item in node.output if item]
        reference = require("onnx.reference", "onnx", "reading an ONNX file")
        try:
            declared = [
                helper.make_tensor_value_info(
                    item, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
                )
                for item, value in values.items()
            ]
            results = [self._onnx.ValueInfoProto(name=item) for item in outputs]
            graph = helper.make_graph([node], "one", declared, results)
            model = helper.make_model(graph, opset_imports=self._opsets)
            found = reference.ReferenceEvaluator(model).run(outputs, dict(values))
        except _FAILURES as error:
            shapes = ", ".join(str(value.shape) for value in values.values())
            refuse(f"{what} cannot run on {shapes}: {first_line(error)}", "an operator that can")
        return dict(zip(outputs, (np.asarray(value) for value in found), strict=True))

    def element(self, code: int) -> str:
        """Return the name of an element type, e.g. "FLOAT"."""
        types = self._onnx.TensorProto.DataType
        return str(types.Name(code)) if code in types.values() else str(code)

    def attributes(self, node: Any) -> dict[str, Any]:  # noqa: ANN401 - onnx has no types
        """Return attributes as Python values, texts decoded."""

        def plain(value: Any) -> Any:  # noqa: ANN401 - any attribute
            if isinstance(value, bytes):
                return value.decode(errors="replace")
            return [plain(item) for item in value] if isinstance(value, list) else value

        read = self._onnx.helper.get_attribute_value
        return {item.name: plain(read(item)) for item in node.attribute}


def named(node: Any) -> str:  # noqa: ANN401 - onnx has no types
    """Return how messages call an operator."""
    return f"ONNX operator {node.name or ', '.join(node.output)!r} ({node.op_type})"


def first_line(error: BaseException) -> str:
    """Return an error's own words, short enough for a message."""
    lines = str(error).strip().splitlines()
    return (lines[0][:160] if lines else type(error).__name__).rstrip(".;: ")
