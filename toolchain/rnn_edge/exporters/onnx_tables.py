"""LOGISTIC and TANH on int16 as constant ONNX expressions: a table over all 65,536 inputs.

The file holds the formula and its 256 sampling points, not the table. The expression has constant
inputs only: a runtime that folds constants, as onnxruntime does when it loads a model, computes it
once, and a step is left with one Gather. A runtime that does not fold computes the same bits, only
slowly.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rnn_edge.exporters.onnx_graph import OnnxGraph
from rnn_edge.fixedpoint import SIGMOID_TABLE

_LAST_INTERVAL = 254


@dataclass(frozen=True)
class Curve:
    """One function, as interpolation between the points of the sigmoid table.

    All products and sums are integers far below 2^53, exact in float64.

    Attributes:
        in_exponent: The one input scale, 2**in_exponent, at which all TFLite kernels agree.
        slope: Table positions per input step, before rounding down.
        offset: Added to the position before rounding down.
        interval: Position steps between two points of the table.
        limit: Magnitude from the last point on, before the sign is applied.
        positive: Added to the magnitude for inputs of zero and above.
        negative: The magnitude is taken from it for inputs below zero.
        divisor: The result is divided by it and rounded down.
        low: Least value of the function.
        high: Greatest value of the function.
    """

    in_exponent: int
    slope: float
    offset: float
    interval: int
    limit: int
    positive: int
    negative: int
    divisor: int
    low: int
    high: int


CURVES: MappingProxyType[str, Curve] = MappingProxyType(
    {
        "logistic": Curve(
            -11, 6.0, 0.0, 512, 0x7FFF << 10, 1 << 9, (1 << 25) + (1 << 9) - 1, 1 << 10, 0, 32767
        ),
        "tanh": Curve(
            -13,
            1.5,
            0.5,
            256,
            0xFFFF << 8,
            (1 << 7) - (1 << 23),
            (1 << 23) + (1 << 7) - 1,
            1 << 8,
            -32768,
            32767,
        ),
    }
)
"""Source: TFLite ``reference_integer_ops::Logistic`` and ``Tanh`` (int16)."""


def add_table(graph: OnnxGraph, kind: str) -> str:
    """Add the table of a curve; return the name of its value, int16 (65536,).

    Entry q holds the function of q for q of 0..32767 and of q - 65536 above: Gather counts
    negative indices from the end, so that an int16 value is its own index.
    """
    curve = CURVES[kind]

    def operate(name: str, *inputs: str) -> str:
        return graph.node(name, list(inputs), f"{kind}_table")

    def number(value: float) -> str:
        return graph.scalar(float(value))

    points = graph.cast(
        graph.shared("sigmoid_points", SIGMOID_TABLE.astype(np.int32)), "float64", f"{kind}_table"
    )
    following = graph.scalar(1, "int32")
    one = number(1)
    inputs = graph.node(
        "Concat",
        [
            operate("Range", number(0), number(32768), one),
            operate("Range", number(-32768), number(0), one),
        ],
        f"{kind}_table",
        axis=0,
    )
    scaled = operate("Add", operate("Mul", inputs, number(curve.slope)), number(curve.offset))
    position = operate("Floor", scaled)
    magnitude = operate("Abs", position)
    interval = operate("Floor", operate("Mul", magnitude, number(1 / curve.interval)))
    fraction = operate("Sub", magnitude, operate("Mul", interval, number(curve.interval)))
    index = graph.cast(operate("Min", interval, number(_LAST_INTERVAL)), "int32", f"{kind}_table")
    low = operate("Gather", points, index)
    rise = operate("Sub", operate("Gather", points, operate("Add", index, following)), low)
    value = operate(
        "Add", operate("Mul", low, number(curve.interval)), operate("Mul", rise, fraction)
    )
    beyond = operate("Greater", interval, number(_LAST_INTERVAL))
    limited = operate("Where", beyond, number(curve.limit), value)
    signed = operate(
        "Where",
        operate("Less", position, number(0)),
        operate("Sub", number(curve.negative), limited),
        operate("Add", limited, number(curve.positive)),
    )
    whole = operate("Floor", operate("Mul", signed, number(1 / curve.divisor)))
    # As float64 a table takes four times the memory, and a step is no faster.
    return graph.cast(whole, "int16", f"{kind}_table")
