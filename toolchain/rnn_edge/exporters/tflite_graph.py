"""Authors a TFLite file tensor by tensor, without a converter.

A file holds one or more subgraphs; the first is what an interpreter runs when it is not told
otherwise. Its bytes depend on the calls alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_edge.extras import require
from rnn_edge.types import Array

SIGNATURE = "serving_default"
METADATA = "rnn_edge"
FILE_IDENTIFIER = b"TFL3"
SCHEMA_VERSION = 3
BUFFER_ALIGNMENT_BYTES = 16
"""What the TFLite schema demands of constant data (``force_align: 16`` of ``Buffer.data``)."""

OPTIONAL = ""
"""Stands for an input of an operator that is left out."""

_LEFT_OUT = -1

_ELEMENTS = {
    "float32": "FLOAT32",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "resource": "RESOURCE",
}


@dataclass(frozen=True)
class Operator:
    """One builtin operator of the TFLite schema.

    Attributes:
        code: Its name in ``BuiltinOperator``.
        version: Operator version; it names the set of types that the kernel must support.
        options: Name of its options table, or an empty string where it is left out.
        fields: Fields of the options table that differ from the schema's defaults.
    """

    code: str
    version: int
    options: str = ""
    fields: tuple[tuple[str, int | float | str], ...] = ()


class FileWriter:
    """A growing file.

    Args:
        description: Text in the file's header.

    Raises:
        MissingDependencyError: If the flatbuffer schema is not installed.
    """

    def __init__(self, description: str) -> None:
        self.schema = require(
            "ai_edge_litert.schema_py_generated", "export", "writing a TFLite file"
        )
        self._flatbuffers = require("flatbuffers", "export", "writing a TFLite file")
        self._model = self.schema.ModelT()
        self._model.version = SCHEMA_VERSION
        self._model.description = description
        # Buffer 0 is empty by convention and shared by all tensors that are not constant.
        self._model.buffers = [self.schema.BufferT()]
        self._model.subgraphs = []
        self._model.signatureDefs = []
        self._codes: dict[tuple[str, int], int] = {}

    def subgraph(self, name: str) -> GraphWriter:
        """Add a subgraph; the first one is the main one."""
        graph = self.schema.SubGraphT()
        graph.name = name
        graph.inputs = np.zeros(0, np.int32)
        graph.outputs = np.zeros(0, np.int32)
        self._model.subgraphs.append(graph)
        return GraphWriter(self, graph, len(self._model.subgraphs) - 1)

    def signature(
        self, key: str, graph: GraphWriter, inputs: Mapping[str, str], outputs: Mapping[str, str]
    ) -> None:
        """Say what goes into a subgraph and what comes out, and how callers name it.

        Args:
            key: Name of the signature.
            graph: The subgraph.
            inputs: Name in the signature to name of the tensor, in the order of the file.
            outputs: As ``inputs``.
        """
        graph.interface(list(inputs.values()), list(outputs.values()))
        signature = self.schema.SignatureDefT()
        signature.signatureKey = key
        signature.subgraphIndex = graph.index
        signature.inputs = self._tensor_map(graph, inputs)
        signature.outputs = self._tensor_map(graph, outputs)
        self._model.signatureDefs.append(signature)

    def pack(self, metadata: Mapping[str, object]) -> bytes:
        """Return the file.

        Args:
            metadata: JSON-serialisable; stored as the metadata buffer `METADATA`.
        """
        entry = self.schema.MetadataT()
        entry.name = METADATA
        entry.buffer = self.buffer(json.dumps(metadata, sort_keys=True).encode())
        self._model.metadata = [entry]
        builder = self._builder()
        builder.Finish(self._model.Pack(builder), file_identifier=FILE_IDENTIFIER)
        return bytes(builder.Output())

    def code_index(self, operator: Operator) -> int:
        """Return the index of an operator's code, which is entered once."""
        key = (operator.code, operator.version)
        if key not in self._codes:
            self._codes[key] = len(self._codes)
            code = self.schema.OperatorCodeT()
            code.builtinCode = getattr(self.schema.BuiltinOperator, operator.code)
            # Readers older than schema 3a know this field only; it holds a signed byte.
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = operator.version
            self._model.operatorCodes = [*(self._model.operatorCodes or []), code]
        return self._codes[key]

    def buffer(self, content: bytes) -> int:
        """Store constant data; return the index of its buffer."""
        buffer = self.schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._model.buffers.append(buffer)
        return len(self._model.buffers) - 1

    def _tensor_map(self, graph: GraphWriter, names: Mapping[str, str]) -> list[Any]:
        entries = []
        for name, tensor in names.items():
            entry = self.schema.TensorMapT()
            entry.name = name
            entry.tensorIndex = graph.tensor_index(tensor)
            entries.append(entry)
        return entries

    def _builder(self) -> Any:  # noqa: ANN401 - flatbuffers has no types
        """Return a builder that aligns constant data as the schema demands.

        The generated Python code drops ``force_align``. A microcontroller reads int64 biases in
        place, and a Cortex-M0 faults where they are not aligned.
        """

        class AlignedBuilder(self._flatbuffers.Builder):  # type: ignore[misc,name-defined]
            def StartVector(self, elem_size: int, count: int, alignment: int) -> Any:  # noqa: ANN401, N802
                wanted = BUFFER_ALIGNMENT_BYTES if elem_size == 1 else alignment
                return super().StartVector(elem_size, count, wanted)

        return AlignedBuilder(1024)


class GraphWriter:
    """A growing subgraph; operators run in the order in which they are added.

    Args:
        file: The file it belongs to; `FileWriter.subgraph` makes it.
        graph: Its table.
        index: Its index in the file.
    """

    def __init__(self, file: FileWriter, graph: Any, index: int) -> None:  # noqa: ANN401 - no types
        self.index = index
        self._file = file
        self._schema = file.schema
        self._graph = graph
        self._graph.tensors = []
        self._graph.operators = []
        self._index: dict[str, int] = {}

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        element: str,
        scale: Sequence[float] = (),
        zero_point: int = 0,
        *,
        is_variable: bool = False,
    ) -> None:
        """Declare a tensor.

        Args:
            name: Unique in the subgraph.
            shape: Its dimensions.
            element: "float32", "int8", "int16", "int32", "int64" or "resource".
            scale: Quantization scale, one value, or one value per row (dimension 0). Empty for a
                tensor that is not quantized.
            zero_point: Of all scales.
            is_variable: Whether the runtime keeps its content from one invocation to the next.
        """
        tensor = self._schema.TensorT()
        tensor.name = name
        tensor.shape = np.asarray(shape, np.int32)
        tensor.type = getattr(self._schema.TensorType, _ELEMENTS[element])
        tensor.buffer = 0
        tensor.isVariable = is_variable
        if len(scale):
            tensor.quantization = self._schema.QuantizationParametersT()
            tensor.quantization.scale = np.asarray(scale, np.float32)
            tensor.quantization.zeroPoint = np.full(len(scale), zero_point, np.int64)
            tensor.quantization.quantizedDimension = 0
        self._index[name] = len(self._graph.tensors)
        self._graph.tensors.append(tensor)

    def constant(self, name: str, value: Array, scale: Sequence[float] = ()) -> None:
        """Declare a tensor with fixed content; its dtype is the element type."""
        self.tensor(name, value.shape, value.dtype.name, scale)
        little = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<")))
        self._graph.tensors[-1].buffer = self._file.buffer(little.tobytes())

    def operator(
        self,
        operator: Operator,
        inputs: Sequence[str],
        outputs: Sequence[str],
        intermediates: Sequence[str] = (),
    ) -> None:
        """Add an operator between tensors that were declared before.

        Args:
            operator: The operator.
            inputs: Names of tensors; `OPTIONAL` for one that is left out.
            outputs: Names of tensors.
            intermediates: Names of tensors that hold scales of what the kernel computes within.
        """
        node = self._schema.OperatorT()
        node.opcodeIndex = self._file.code_index(operator)
        node.inputs = self._indices(inputs)
        node.outputs = self._indices(outputs)
        if intermediates:
            node.intermediates = self._indices(intermediates)
        if operator.options:
            options = getattr(self._schema, f"{operator.options}T")()
            for field, value in operator.fields:
                setattr(options, field, value)
            node.builtinOptions = options
            node.builtinOptionsType = getattr(self._schema.BuiltinOptions, operator.options)
        self._graph.operators.append(node)

    def element_code(self, element: str) -> int:
        """Return the schema's number of an element type."""
        return int(getattr(self._schema.TensorType, _ELEMENTS[element]))

    def interface(self, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Say which tensors go in and which come out."""
        self._graph.inputs = self._indices(inputs)
        self._graph.outputs = self._indices(outputs)

    def tensor_index(self, name: str) -> int:
        """Return the index of a tensor that was declared before."""
        return self._index[name]

    def _indices(self, names: Sequence[str]) -> Array:
        listed = [_LEFT_OUT if name == OPTIONAL else self._index[name] for name in names]
        return np.asarray(listed, np.int32)
