"""SOFTMAX on int16 as an ONNX expression, bit for bit, on float64 values that hold integers.

Every product and sum is a whole number, or a whole number times a power of two, below 2^53.
"""

from __future__ import annotations

import numpy as np

from rnn_edge.exporters.onnx_graph import OnnxGraph
from rnn_edge.fixedpoint.softmax import EXP_TABLE, RECIPROCAL_TABLE

_LARGEST_POWER = 32767
_LEAST_BITS = 15
"""Of a sum of powers: the largest of them is 32767."""


def add_softmax(graph: OnnxGraph, x: str, size: int, exponent: int) -> str:
    """Add the softmax of the last axis; return the name of its value, float64, 0..32767.

    Args:
        graph: The graph.
        x: float64 (B, size), whole numbers of an int16 at scale 2**exponent.
        size: Elements C.
        exponent: -15..0.

    Source: TFLite ``reference_ops::SoftmaxInt16``; the powers of two are those of its shifts.
    """

    def operate(kind: str, *inputs: str, **attributes: object) -> str:
        return graph.node(kind, list(inputs), "softmax", **attributes)

    def number(value: float) -> str:
        return graph.scalar(float(value))

    def floor_of(value: str, factor: float, added: float) -> str:
        """Return floor(value * factor + added)."""
        scaled = operate("Mul", value, number(factor))
        return operate("Floor", operate("Add", scaled, number(added)))

    def clipped(value: str) -> str:
        return operate("Clip", value, number(-32768), number(32767))

    def look_up(name: str, table: np.ndarray, position: str) -> str:
        """Interpolate; 128 positions from -32768 on lie between two entries."""
        whole = floor_of(position, 1 / 128, 256)
        index = graph.cast(whole, "int32", "softmax")
        following = operate("Add", index, graph.scalar(1, "int32"))
        points = graph.cast(
            graph.shared(f"{name}_points", table.astype(np.int32)), "float64", "softmax"
        )
        low = operate("Gather", points, index)
        rise = operate("Sub", operate("Gather", points, following), low)
        # position - 128 * (whole - 256)
        fraction = operate(
            "Sub", operate("Add", position, number(32768)), operate("Mul", whole, number(128))
        )
        return operate("Add", low, floor_of(operate("Mul", rise, fraction), 1 / 128, 0.5))

    largest = operate("ReduceMax", x, axes=[-1], keepdims=1)
    below = operate("Sub", x, largest)
    octaves = exponent + 13
    scaled = floor_of(below, 13107 * 2.0 ** (max(octaves, 0) - 14), 0.5)
    if octaves < 0:
        # Nothing is above zero: away from zero is down.
        scaled = operate(
            "Ceil", operate("Sub", operate("Mul", scaled, number(2.0**octaves)), number(0.5))
        )
    powers = look_up("exp", EXP_TABLE, clipped(operate("Add", scaled, number(32767))))
    axes = graph.shared("last_axis", np.asarray([-1], np.int64))
    total = operate("ReduceSum", powers, axes, keepdims=1)

    # 2^(31 - bits of the total): one halving for every power of two that it reaches.
    most_bits = (size * _LARGEST_POWER).bit_length()
    norm = number(2.0 ** (31 - _LEAST_BITS))
    for bits in range(_LEAST_BITS, most_bits):
        reaches = operate("GreaterOrEqual", total, number(2.0**bits))
        norm = operate("Mul", norm, operate("Where", reaches, number(0.5), number(1.0)))
    mantissa = floor_of(operate("Mul", total, norm), 2.0**-14, 0.5)
    centred = clipped(operate("Sub", mantissa, number(3 * 32768)))
    reciprocal = look_up("reciprocal", RECIPROCAL_TABLE, centred)
    result = floor_of(operate("Mul", operate("Mul", powers, reciprocal), norm), 2.0**-30, 0.5)
    return operate("Clip", result, number(0), number(32767))
