"""Writes a program as an ONNX graph that keeps every bit of the integer arithmetic.

Matrix products run on int32 where a bound on the row sums of the weights proves that they fit,
and on float64 where it does not. Everything else runs on float64 values that hold integers:
ONNX has no arithmetic shift, its integer division rounds towards zero, and few runtimes have all
operators on integers, while Mul, Floor, Ceil, Round and Clip are everywhere. Every such value is a
whole number below 2^53, for which float64 is exact, on any machine and in any order of summation.
The range of every value is followed through the graph; it also says where nothing can saturate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.exporters.onnx_graph import OnnxGraph
from rnn_edge.exporters.onnx_softmax import add_softmax
from rnn_edge.exporters.onnx_tables import CURVES, add_table
from rnn_edge.fixedpoint import row_multipliers
from rnn_edge.types import QuantizedMatrix
from rnn_edge.types.program import (
    ArgMax,
    Binary,
    FullyConnected,
    Op,
    Program,
    Softmax,
    Split,
    Unary,
)

INT16_MIN, INT16_MAX = -32768, 32767
INT32_MAX = 2**31 - 1
EXACT = 2**53
"""Whole numbers up to here are exact in float64."""
LARGEST_MULTIPLIER = 2**15
MOST_WEIGHT = 2**22
"""Sum of a row's weights: times int16 and the multiplier, 2^52, which leaves room for the offset of
one output step, at most 2^46."""
MOST_STEPS = 2**50
MOST_BITS_APART = 14
"""Of the scales of a sum; the limit of the TFLite kernels."""
AWAY_FROM_ZERO = 1.0 + 2.0**-40
"""Moves ties, and nothing else, to the far side of the middle: for whole numbers t below 2^31 the
product with 2^-s changes by less than the distance 2^-s to the next tie."""


@dataclass(frozen=True)
class Whole:
    """A float64 value (B, size) of the graph that holds whole numbers.

    Attributes:
        name: In the graph.
        low: No element is below it.
        high: No element is above it.
    """

    name: str
    low: int
    high: int


def write_program(program: Program, graph: OnnxGraph) -> None:
    """Add one time step, int16 (B, size) in and out, B streams at once.

    Raises:
        ModelError: If an operator or a scale has no exact form here.
    """
    writer = _Writer(program, graph)
    for op in program.ops:
        writer.add(op)
    writer.finish()


class _Writer:
    """The values computed so far, by the names of the program's tensors."""

    def __init__(self, program: Program, graph: OnnxGraph) -> None:
        self._program = program
        self._graph = graph
        self._tables: dict[str, str] = {}
        self._values: dict[str, Whole] = {}
        self._casts: dict[tuple[str, str], str] = {}
        self._label = ""
        for name in (program.x, *(entering for entering, _ in program.states.values())):
            graph.input(name, "int16", ("B", program.tensors[name].size))

    def finish(self) -> None:
        """Declare the outputs."""
        for name in (
            self._program.y,
            *(leaving for _, leaving in self._program.states.values()),
        ):
            shape = ("B", self._program.tensors[name].size)
            self._graph.output(name, self._value(name).name, "int16", shape)
        if self._program.label is not None:
            self._graph.output(self._program.label, self._label, "int64", ("B",))

    def add(self, op: Op) -> None:
        """Translate one operator."""
        match op:
            case FullyConnected(name, x, matrix, out):
                self._values[out] = self._fully_connected(name, x, matrix)
            case Split(x, outs):
                whole = self._value(x)
                names = self._graph.split(whole.name, [f"{out}_part" for out in outs])
                for out, part in zip(outs, names, strict=True):
                    self._values[out] = Whole(part, whole.low, whole.high)
            case Binary("add" | "subtract" as kind, a, b, out):
                self._values[out] = self._sum(kind, a, b, out)
            case Binary("multiply", a, b, out):
                self._values[out] = self._product(a, b, out)
            case Unary("quantize", x, out):
                exponent = self._exponent(x) - self._exponent(out)
                self._values[out] = self._saturate(self._rescale(self._value(x), exponent, out))
            case Softmax(x, out):
                size, exponent = self._program.tensors[x].size, self._exponent(x)
                name = add_softmax(self._graph, self._value(x).name, size, exponent)
                self._values[out] = Whole(name, 0, INT16_MAX)
            case ArgMax(x, out):
                self._label = self._graph.node(
                    "ArgMax", [self._value(x).name], out, axis=-1, keepdims=0, select_last_index=0
                )
            case Unary(kind, x, out) if kind in CURVES:
                self._values[out] = self._look_up(kind, x, out)
            case _:
                raise ModelError(
                    f"ONNX export of operator {op!r}: no integer form; expected a matrix product, "
                    f"split, add, subtract, multiply, quantize, softmax, {' or '.join(CURVES)}."
                )

    def _exponent(self, name: str) -> int:
        return self._program.tensors[name].exponent

    def _value(self, name: str) -> Whole:
        """Return a tensor as float64; inputs are converted where they are first read."""
        if name not in self._values:
            value = self._graph.cast(name, "float64", name)
            self._values[name] = Whole(value, INT16_MIN, INT16_MAX)
        return self._values[name]

    def _cast(self, name: str, dtype: str) -> str:
        """Return a tensor as ``dtype``, converted once."""
        if dtype == "float64":
            return self._value(name).name
        key = (name, dtype)
        if key not in self._casts:
            source = self._values[name].name if name in self._values else name
            self._casts[key] = self._graph.cast(source, dtype, name)
        return self._casts[key]

    def _operate(self, kind: str, value: str, number: float, base: str) -> str:
        return self._graph.node(kind, [value, self._graph.scalar(number)], base)

    def _saturate(self, value: Whole) -> Whole:
        """Clamp to int16, where the range of the value says that it can be outside."""
        if value.low >= INT16_MIN and value.high <= INT16_MAX:
            return value
        limits = [self._graph.scalar(float(INT16_MIN)), self._graph.scalar(float(INT16_MAX))]
        name = self._graph.node("Clip", [value.name, *limits], value.name)
        return Whole(name, max(value.low, INT16_MIN), min(value.high, INT16_MAX))

    def _fully_connected(self, name: str, x: str, matrix: QuantizedMatrix) -> Whole:
        """Add ``(weight @ x + bias) * multiplier / 2**shift``, rounded once, ties upwards.

        The constant ``bias * multiplier + 2**(shift - 1)`` is added before the rounding. A bias
        too large for that is cut in two: whole output steps are added after the rounding.
        """
        multiplier, shift = row_multipliers(
            matrix.weight_scale, matrix.input_exponent, matrix.output_exponent
        )
        row_sums = np.abs(matrix.weight.astype(np.int64)).sum(axis=1)
        if row_sums.max() > MOST_WEIGHT:
            raise ModelError(
                f"ONNX export of {name!r}: weights of a row sum to {row_sums.max()}; "
                f"expected at most {MOST_WEIGHT}, so that the product is exact in float64."
            )
        largest = int(row_sums.max()) * -INT16_MIN
        # Python's integers: a bias times its multiplier may have more than 64 bits.
        power = shift.astype(object)
        offset = matrix.bias.astype(object) * multiplier + (1 << (power - 1))
        steps = np.zeros_like(offset)
        if largest * LARGEST_MULTIPLIER + np.abs(offset).max() > EXACT:
            steps = offset >> power
            offset = offset - (steps << power)
            # Saturates in any case, but must not be rounded before.
            steps = np.clip(steps, -MOST_STEPS, MOST_STEPS)
        unit = np.ldexp(1.0, -shift)
        dtype = "int32" if largest <= INT32_MAX else "float64"
        weight = self._graph.constant(f"{name}_weight", matrix.weight.T)
        product = self._graph.node(
            "MatMul",
            [self._cast(x, dtype), self._graph.cast(weight, dtype, f"{name}_weight")],
            name,
        )
        if dtype != "float64":
            product = self._graph.cast(product, "float64", name)
        factor = self._graph.constant(f"{name}_factor", multiplier * unit)
        scaled = self._graph.node("Mul", [product, factor], name)
        bias = self._graph.constant(f"{name}_offset", offset.astype(np.float64) * unit)
        rounded = self._graph.node("Floor", [self._graph.node("Add", [scaled, bias], name)], name)
        if steps.any():
            whole = self._graph.constant(f"{name}_steps", steps.astype(np.float64))
            rounded = self._graph.node("Add", [rounded, whole], name)
        return self._saturate(Whole(rounded, -EXACT, EXACT))

    def _sum(self, kind: str, a: str, b: str, out: str) -> Whole:
        """Add a sum: operands aligned exactly, one rounding, ties away from zero."""
        finest = min(self._exponent(a), self._exponent(b))
        if max(self._exponent(a), self._exponent(b)) - finest > MOST_BITS_APART:
            raise ModelError(
                f"ONNX export of {out!r}: scales 2^{self._exponent(a)} and 2^{self._exponent(b)} "
                f"are more than {MOST_BITS_APART} bits apart."
            )
        first, second = (
            self._scale(self._value(name), self._exponent(name) - finest, out) for name in (a, b)
        )
        if kind == "add":
            low, high = first.low + second.low, first.high + second.high
        else:
            low, high = first.low - second.high, first.high - second.low
        operator = "Add" if kind == "add" else "Sub"
        total = Whole(self._graph.node(operator, [first.name, second.name], out), low, high)
        exponent = finest - self._exponent(out)
        if exponent >= 0:
            return self._saturate(self._scale(total, exponent, out))
        return self._saturate(self._shift_half_away(total, -exponent, out))

    def _product(self, a: str, b: str, out: str) -> Whole:
        """Add an element-wise product, rescaled with the two roundings of MUL."""
        first, second = self._value(a), self._value(b)
        corners = [p * q for p in (first.low, first.high) for q in (second.low, second.high)]
        product = Whole(
            self._graph.node("Mul", [first.name, second.name], out), min(corners), max(corners)
        )
        exponent = self._exponent(a) + self._exponent(b) - self._exponent(out)
        return self._saturate(self._rescale(product, exponent, out))

    def _look_up(self, kind: str, x: str, out: str) -> Whole:
        """Add a function of one operand as a table."""
        curve = CURVES[kind]
        if self._exponent(x) != curve.in_exponent:
            raise ModelError(
                f"ONNX export of {kind} at scale 2^{self._exponent(x)}; "
                f"expected 2^{curve.in_exponent}."
            )
        if kind not in self._tables:
            self._tables[kind] = add_table(self._graph, kind)
        found = self._graph.node("Gather", [self._tables[kind], self._cast(x, "int32")], out)
        return Whole(self._graph.cast(found, "float64", out), curve.low, curve.high)

    def _scale(self, value: Whole, exponent: int, base: str) -> Whole:
        """Multiply by 2**exponent; exact."""
        if exponent == 0:
            return value
        name = self._operate("Mul", value.name, 2.0**exponent, base)
        return Whole(name, value.low << exponent, value.high << exponent)

    def _shift_half_away(self, value: Whole, shift: int, base: str) -> Whole:
        """Divide by 2**shift, to nearest, ties away from zero.

        ONNX's Round sends ties to even; after the multiplication there are none left.
        """
        if shift == 0:
            return value
        scaled = self._operate("Mul", value.name, 2.0**-shift * AWAY_FROM_ZERO, base)
        name = self._graph.node("Round", [scaled], base)
        half = 1 << (shift - 1)
        low, high = (
            (v + half) >> shift if v >= 0 else -((half - v) >> shift)
            for v in (value.low, value.high)
        )
        return Whole(name, low, high)

    def _rescale(self, value: Whole, exponent: int, base: str) -> Whole:
        """Multiply by 2**exponent as the kernels of MUL and QUANTIZE do.

        Halving comes first, with ties upwards, which for whole numbers is Ceil; then the rest of
        the shift with ties away from zero.
        """
        if exponent >= 0:
            return self._scale(value, exponent, base)
        halved = self._graph.node("Ceil", [self._operate("Mul", value.name, 0.5, base)], base)
        half = Whole(halved, (value.low + 1) >> 1, (value.high + 1) >> 1)
        return self._shift_half_away(half, -exponent - 1, base)
