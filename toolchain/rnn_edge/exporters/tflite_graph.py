"""Authors a TFLite file tensor by tensor, without a converter.

The file holds one subgraph and one signature. Its bytes depend on the calls alone.
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

_ELEMENTS = {
    "float32": "FLOAT32",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
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
    fields: tuple[tuple[str, int], ...] = ()


class GraphWriter:
    """A growing subgraph; operators run in the order in which they are added.

    Args:
        description: Text in the file's header.
    """

    def __init__(self, description: str) -> None:
        self._schema = require(
            "ai_edge_litert.schema_py_generated", "export", "writing a TFLite file"
        )
        self._flatbuffers = require("flatbuffers", "export", "writing a TFLite file")
        self._model = self._schema.ModelT()
        self._model.version = SCHEMA_VERSION
        self._model.description = description
        # Buffer 0 is empty by convention and shared by all tensors that are not constant.
        self._model.buffers = [self._schema.BufferT()]
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._index: dict[str, int] = {}
        self._codes: dict[tuple[str, int], int] = {}

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        element: str,
        scale: Sequence[float] = (),
    ) -> None:
        """Declare a tensor.

        Args:
            name: Unique in the file.
            shape: Its dimensions.
            element: "float32", "int8", "int16", "int32" or "int64".
            scale: Quantization scale, one value, or one value per row (dimension 0); zero
                points are 0. Empty for a tensor that is not quantized.
        """
        tensor = self._schema.TensorT()
        tensor.name = name
        tensor.shape = np.asarray(shape, np.int32)
        tensor.type = getattr(self._schema.TensorType, _ELEMENTS[element])
        tensor.buffer = 0
        if len(scale):
            tensor.quantization = self._schema.QuantizationParametersT()
            tensor.quantization.scale = np.asarray(scale, np.float32)
            tensor.quantization.zeroPoint = np.zeros(len(scale), np.int64)
            tensor.quantization.quantizedDimension = 0
        self._index[name] = len(self._tensors)
        self._tensors.append(tensor)

    def constant(self, name: str, value: Array, scale: Sequence[float] = ()) -> None:
        """Declare a tensor with fixed content; its dtype is the element type."""
        self.tensor(name, value.shape, value.dtype.name, scale)
        little = np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<")))
        self._tensors[-1].buffer = self._buffer(little.tobytes())

    def operator(self, operator: Operator, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Add an operator between tensors that were declared before."""
        node = self._schema.OperatorT()
        node.opcodeIndex = self._code_index(operator)
        node.inputs = np.asarray([self._index[name] for name in inputs], np.int32)
        node.outputs = np.asarray([self._index[name] for name in outputs], np.int32)
        if operator.options:
            options = getattr(self._schema, f"{operator.options}T")()
            for field, value in operator.fields:
                setattr(options, field, value)
            node.builtinOptions = options
            node.builtinOptionsType = getattr(self._schema.BuiltinOptions, operator.options)
        self._operators.append(node)

    def pack(
        self,
        inputs: Mapping[str, str],
        outputs: Mapping[str, str],
        metadata: Mapping[str, object],
    ) -> bytes:
        """Return the file.

        Args:
            inputs: Name in the signature to name of the tensor, in the order of the file.
            outputs: As ``inputs``.
            metadata: JSON-serialisable; stored as the metadata buffer `METADATA`.
        """
        graph = self._schema.SubGraphT()
        graph.name = "main"
        graph.tensors = self._tensors
        graph.operators = self._operators
        graph.inputs = np.asarray([self._index[name] for name in inputs.values()], np.int32)
        graph.outputs = np.asarray([self._index[name] for name in outputs.values()], np.int32)
        self._model.subgraphs = [graph]

        signature = self._schema.SignatureDefT()
        signature.signatureKey = SIGNATURE
        signature.subgraphIndex = 0
        signature.inputs = self._tensor_map(inputs)
        signature.outputs = self._tensor_map(outputs)
        self._model.signatureDefs = [signature]

        entry = self._schema.MetadataT()
        entry.name = METADATA
        entry.buffer = self._buffer(json.dumps(metadata, sort_keys=True).encode())
        self._model.metadata = [entry]

        builder = self._builder()
        builder.Finish(self._model.Pack(builder), file_identifier=FILE_IDENTIFIER)
        return bytes(builder.Output())

    def _tensor_map(self, names: Mapping[str, str]) -> list[Any]:
        entries = []
        for name, tensor in names.items():
            entry = self._schema.TensorMapT()
            entry.name = name
            entry.tensorIndex = self._index[tensor]
            entries.append(entry)
        return entries

    def _code_index(self, operator: Operator) -> int:
        key = (operator.code, operator.version)
        if key not in self._codes:
            self._codes[key] = len(self._codes)
            code = self._schema.OperatorCodeT()
            code.builtinCode = getattr(self._schema.BuiltinOperator, operator.code)
            # Readers older than schema 3a know this field only; it holds a signed byte.
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = operator.version
            self._model.operatorCodes = [*(self._model.operatorCodes or []), code]
        return self._codes[key]

    def _buffer(self, content: bytes) -> int:
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._model.buffers.append(buffer)
        return len(self._model.buffers) - 1

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
