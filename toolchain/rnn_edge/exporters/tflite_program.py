"""Writes a program as a TFLite graph, in the number format that the caller chooses.

Names in the file: ``x`` and ``y``, for every state ``h0_in`` and ``h0_out`` (``c0_in``, ...), and
``label``, int32 (1,), where the model decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

import numpy as np

from rnn_edge.exporters.tflite_graph import SIGNATURE, FileWriter, GraphWriter, Operator
from rnn_edge.types import Array
from rnn_edge.types.program import (
    ArgMax,
    Binary,
    FullyConnected,
    Program,
    Softmax,
    Split,
    Unary,
)

SPLIT_AXIS = "split_axis"
LABEL_AXIS = "label_axis"

_CODES = MappingProxyType(
    {
        "add": ("ADD", "AddOptions", (("potScaleInt16", 0),)),
        "subtract": ("SUB", "SubOptions", (("potScaleInt16", 0),)),
        "multiply": ("MUL", "MulOptions", ()),
        "logistic": ("LOGISTIC", "", ()),
        "tanh": ("TANH", "", ()),
        "quantize": ("QUANTIZE", "QuantizeOptions", ()),
        "softmax": ("SOFTMAX", "SoftmaxOptions", (("beta", 1.0),)),
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
    leaving.update(label_of(program))
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
            case Softmax(x, out):
                declare(graph, program, numbers, out)
                graph.operator(_operator("softmax", numbers), [same.get(x, x)], [out])
            case ArgMax(x, out):
                _arg_max(graph, program, numbers, same.get(x, x), out)
            case _:
                assert_never(step)


def declare(graph: GraphWriter, program: Program, numbers: NumberFormat, name: str) -> None:
    """Declare a tensor of a program in a subgraph."""
    tensor = program.tensors[name]
    graph.tensor(name, (1, tensor.size), numbers.element, numbers.scale(tensor.exponent))


def label_of(program: Program) -> dict[str, str]:
    """Return the label among the outputs of a signature, if there is one."""
    return {} if program.label is None else {program.label: program.label}


def _arg_max(graph: GraphWriter, program: Program, numbers: NumberFormat, x: str, out: str) -> None:
    """Write ARG_MAX, which no runtime has for int16; every int16 is exact in float32."""
    if numbers.element != "float32":
        graph.tensor(f"{out}_values", (1, program.tensors[x].size), "float32")
        version = numbers.versions["dequantize"]
        dequantize = Operator("DEQUANTIZE", version, "DequantizeOptions")
        graph.operator(dequantize, [x], [f"{out}_values"])
        x = f"{out}_values"
    graph.constant(LABEL_AXIS, np.asarray(1, np.int32))
    graph.tensor(out, (1,), "int32")
    fields = (("outputType", graph.element_code("int32")),)
    graph.operator(Operator("ARG_MAX", 1, "ArgMaxOptions", fields), [x, LABEL_AXIS], [out])


def _operator(kind: str, numbers: NumberFormat) -> Operator:
    code, options, fields = _CODES[kind]
    return Operator(code, numbers.versions[kind], options, fields)
