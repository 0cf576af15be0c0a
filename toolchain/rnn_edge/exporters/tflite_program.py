"""Writes a program as a TFLite graph, in the number format that the caller chooses.

Names in the file: ``x`` and ``y``, and for every state ``h0_in`` and ``h0_out`` (``c0_in``, ...).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rnn_edge.exporters.tflite_graph import GraphWriter, Operator
from rnn_edge.types import Array
from rnn_edge.types.program import Binary, FullyConnected, Program, Split, Unary

SPLIT_AXIS = "split_axis"

_CODES = MappingProxyType(
    {
        "add": ("ADD", "AddOptions", (("potScaleInt16", 0),)),
        "subtract": ("SUB", "SubOptions", (("potScaleInt16", 0),)),
        "multiply": ("MUL", "MulOptions", ()),
        "logistic": ("LOGISTIC", "", ()),
        "tanh": ("TANH", "", ()),
        "quantize": ("QUANTIZE", "QuantizeOptions", ()),
        "fully_connected": ("FULLY_CONNECTED", "FullyConnectedOptions", ()),
    }
)


class NumberFormat(ABC):
    """How the tensors of a program are represented.

    Attributes:
        element: Element type of every tensor that is computed.
        versions: Operator version by kind of operator.
        keeps_quantize: Whether "quantize" is an operator of its own; otherwise its output is its
            input.
    """

    element: str
    versions: Mapping[str, int]
    keeps_quantize: bool

    @abstractmethod
    def scale(self, exponent: int) -> tuple[float, ...]:
        """Return the quantization scale of a tensor at ``2**exponent``; empty for none."""

    @abstractmethod
    def constants(
        self, step: FullyConnected
    ) -> tuple[tuple[Array, tuple[float, ...]], tuple[Array, tuple[float, ...]]]:
        """Return weight and bias of a product, each with its scales."""


def write_program(
    program: Program, numbers: NumberFormat, description: str, metadata: Mapping[str, object]
) -> bytes:
    """Return one time step as a TFLite file.

    Args:
        program: The step.
        numbers: Number format.
        description: Text in the file's header.
        metadata: Stored as JSON.
    """
    writer = GraphWriter(description)
    same: dict[str, str] = {}
    entering = {name: name for name in (program.x, *(n for n, _ in program.states.values()))}
    for name in entering:
        _declare(writer, program, numbers, name)
    if any(isinstance(step, Split) for step in program.ops):
        # Dimension 0 is the batch of one frame.
        writer.constant(SPLIT_AXIS, np.asarray(1, np.int32))
    for step in program.ops:
        match step:
            case Unary("quantize", x, out) if not numbers.keeps_quantize:
                same[out] = same.get(x, x)
            case Unary(kind, x, out):
                _declare(writer, program, numbers, out)
                writer.operator(_operator(kind, numbers), [same.get(x, x)], [out])
            case Binary(kind, a, b, out):
                _declare(writer, program, numbers, out)
                operands = [same.get(name, name) for name in (a, b)]
                writer.operator(_operator(kind, numbers), operands, [out])
            case Split(x, outs):
                for name in outs:
                    _declare(writer, program, numbers, name)
                operator = Operator(
                    "SPLIT",
                    numbers.versions["split"],
                    "SplitOptions",
                    (("numSplits", len(outs)),),
                )
                writer.operator(operator, [SPLIT_AXIS, same.get(x, x)], outs)
            case FullyConnected(name, x, _, out):
                weight, bias = numbers.constants(step)
                writer.constant(f"{name}_weight", *weight)
                writer.constant(f"{name}_bias", *bias)
                _declare(writer, program, numbers, out)
                inputs = [same.get(x, x), f"{name}_weight", f"{name}_bias"]
                writer.operator(_operator("fully_connected", numbers), inputs, [out])
    leaving = {name: name for name in (program.y, *(n for _, n in program.states.values()))}
    return writer.pack(entering, leaving, metadata)


def _declare(writer: GraphWriter, program: Program, numbers: NumberFormat, name: str) -> None:
    tensor = program.tensors[name]
    writer.tensor(name, (1, tensor.size), numbers.element, numbers.scale(tensor.exponent))


def _operator(kind: str, numbers: NumberFormat) -> Operator:
    code, options, fields = _CODES[kind]
    return Operator(code, numbers.versions[kind], options, fields)
