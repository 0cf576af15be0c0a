"""Writes a program as a TFLite graph, in the number format that the caller chooses.

Names in the file: ``x`` and ``y``, and for every state ``h0_in`` and ``h0_out`` (``c0_in``, ...).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rnn_edge.exporters.tflite_graph import SIGNATURE, FileWriter, GraphWriter, Operator
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
    file = FileWriter(description)
    graph = file.subgraph("main")
    entering = {name: name for name in (program.x, *(n for n, _ in program.states.values()))}
    for name in entering:
        declare(graph, program, numbers, name)
    write_operators(graph, program, numbers)
    leaving = {name: name for name in (program.y, *(n for _, n in program.states.values()))}
    file.signature(SIGNATURE, graph, entering, leaving)
    return file.pack(metadata)


def write_operators(graph: GraphWriter, program: Program, numbers: NumberFormat) -> None:
    """Write the operators of a step into a subgraph in which its inputs are declared.

    Args:
        graph: The subgraph.
        program: The step; afterwards ``y`` and every next state are tensors of the subgraph.
        numbers: Number format.
    """
    same: dict[str, str] = {}
    if any(isinstance(step, Split) for step in program.ops):
        # Dimension 0 is the batch of one frame.
        graph.constant(SPLIT_AXIS, np.asarray(1, np.int32))
    for step in program.ops:
        match step:
            case Unary("quantize", x, out) if not numbers.keeps_quantize:
                same[out] = same.get(x, x)
            case Unary(kind, x, out):
                declare(graph, program, numbers, out)
                graph.operator(_operator(kind, numbers), [same.get(x, x)], [out])
            case Binary(kind, a, b, out):
                declare(graph, program, numbers, out)
                operands = [same.get(name, name) for name in (a, b)]
                graph.operator(_operator(kind, numbers), operands, [out])
            case Split(x, outs):
                for name in outs:
                    declare(graph, program, numbers, name)
                operator = Operator(
                    "SPLIT",
                    numbers.versions["split"],
                    "SplitOptions",
                    (("numSplits", len(outs)),),
                )
                graph.operator(operator, [SPLIT_AXIS, same.get(x, x)], outs)
            case FullyConnected(name, x, _, out):
                weight, bias = numbers.constants(step)
                graph.constant(f"{name}_weight", *weight)
                graph.constant(f"{name}_bias", *bias)
                declare(graph, program, numbers, out)
                inputs = [same.get(x, x), f"{name}_weight", f"{name}_bias"]
                graph.operator(_operator("fully_connected", numbers), inputs, [out])


def declare(graph: GraphWriter, program: Program, numbers: NumberFormat, name: str) -> None:
    """Declare a tensor of a program in a subgraph."""
    tensor = program.tensors[name]
    graph.tensor(name, (1, tensor.size), numbers.element, numbers.scale(tensor.exponent))


def _operator(kind: str, numbers: NumberFormat) -> Operator:
    code, options, fields = _CODES[kind]
    return Operator(code, numbers.versions[kind], options, fields)
