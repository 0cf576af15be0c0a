"""What is in a TFLite file: operators, and the tensors that go in and come out by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from rnn_edge.extras import require

CUSTOM_CODE = 32
"""``BuiltinOperator.CUSTOM`` of the TFLite schema: the operator has a name instead of a number."""
FLEX_PREFIX = "Flex"
"""Begins the names of operators that need TensorFlow's own kernels."""


@dataclass(frozen=True)
class Port:
    """A tensor at the border of a file.

    Attributes:
        index: Of the tensor in the main subgraph.
        shape: Its dimensions.
        scale: Of a quantized tensor, or None.
        zero_point: The integer that stands for 0.
    """

    index: int
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int


@dataclass(frozen=True)
class FileContent:
    """A file.

    Attributes:
        builtin: Builtin operators of all subgraphs by name, and how many there are of each.
        flex: The same for operators of TensorFlow and other custom ones.
        inputs: By name in the signature.
        outputs: By name in the signature.
    """

    builtin: dict[str, int]
    flex: dict[str, int]
    inputs: dict[str, Port]
    outputs: dict[str, Port]

    def state_pairs(self) -> dict[str, tuple[Port, Port]]:
        """Return by state the tensor that it goes in by and the one that it comes out by."""
        names = [name.removesuffix("_in") for name in self.inputs if name.endswith("_in")]
        return {name: (self.inputs[f"{name}_in"], self.outputs[f"{name}_out"]) for name in names}


def read_content(content: bytes) -> FileContent:
    """Parse a TFLite file with one signature.

    Raises:
        MissingDependencyError: If the schema is not installed.
    """
    schema = require("ai_edge_litert.schema_py_generated", "litert", "reading a TFLite file")
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    names = {
        value: name for name, value in vars(schema.BuiltinOperator).items() if name[0].isupper()
    }
    builtin: Counter[str] = Counter()
    flex: Counter[str] = Counter()
    for graph in model.subgraphs:
        for operator in graph.operators or []:
            code = model.operatorCodes[operator.opcodeIndex]
            # Old files have the number in the first field, and zero in the second.
            number = max(code.builtinCode, code.deprecatedBuiltinCode)
            if number == CUSTOM_CODE:
                flex[code.customCode.decode()] += 1
            else:
                builtin[names[number]] += 1
    signature = model.signatureDefs[0]
    tensors = model.subgraphs[signature.subgraphIndex].tensors

    def ports(entries: list[Any]) -> dict[str, Port]:
        return {entry.name.decode(): _port(tensors, entry.tensorIndex) for entry in entries}

    return FileContent(
        dict(sorted(builtin.items())),
        dict(sorted(flex.items())),
        ports(signature.inputs),
        ports(signature.outputs),
    )


def _port(tensors: list[Any], index: int) -> Port:
    tensor = tensors[index]
    shape = tuple(int(size) for size in tensor.shape)
    parameters = tensor.quantization
    if parameters is None or parameters.scale is None or len(parameters.scale) == 0:
        return Port(index, shape, None, 0)
    return Port(index, shape, float(parameters.scale[0]), int(parameters.zeroPoint[0]))
