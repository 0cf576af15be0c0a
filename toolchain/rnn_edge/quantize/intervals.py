"""Interval arithmetic through an integer program, one rule for each operator.

Every operator is monotonic in each of its operands, rounding included, so that the ends of a
result are found by running the operator itself, in its wide form, on the ends of the operands:
no rounding has to be estimated. Intervals are kept for each element. What they cannot see is that
two operands depend on each other; the one place where that matters, the interpolation that ends a
GRU, has a rule of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from rnn_edge.fixedpoint import (
    INT16_MAX,
    INT16_MIN,
    accumulate,
    logistic,
    rescale,
    row_multipliers,
    saturate_int16,
    tanh,
    wide_add,
    wide_multiply,
    wide_requantize,
    wide_subtract,
)
from rnn_edge.types import Array
from rnn_edge.types.arrays import read_only
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
from rnn_edge.types.quantized_model import HIDDEN_EXPONENT


@dataclass(frozen=True, eq=False)
class Interval:
    """Bounds on the elements of a tensor, in units of its scale.

    Attributes:
        low: int64 (size,).
        high: int64 (size,), not below ``low``.
    """

    low: Array
    high: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", read_only(self.low, np.int64))
        object.__setattr__(self, "high", read_only(self.high, np.int64))

    @classmethod
    def whole(cls, size: int) -> Interval:
        """Return all of int16 for ``size`` elements."""
        return cls(np.full(size, INT16_MIN), np.full(size, INT16_MAX))

    def saturated(self) -> Interval:
        """Return the bounds on the values once they are saturated to int16."""
        return Interval(saturate_int16(self.low), saturate_int16(self.high))

    def with_zero(self) -> Interval:
        """Return the smallest interval that also holds zero."""
        return Interval(np.minimum(self.low, 0), np.maximum(self.high, 0))

    def common(self, other: Interval) -> Interval:
        """Return what both hold; they must overlap."""
        return Interval(np.maximum(self.low, other.low), np.minimum(self.high, other.high))

    def holds(self, other: Interval) -> bool:
        """Return whether every element of ``other`` lies inside."""
        return bool((self.low <= other.low).all() and (self.high >= other.high).all())

    @property
    def fits(self) -> Array:
        """Bool (size,): the elements that never leave int16."""
        return np.asarray((self.low >= INT16_MIN) & (self.high <= INT16_MAX))


def step_intervals(program: Program, entering: Mapping[str, Interval]) -> dict[str, Interval]:
    """Return bounds on every tensor of one step, before saturation, over all int16 frames.

    Args:
        program: The step.
        entering: Bounds on each state by its name (h0, c0, ...), within int16.

    Returns:
        Intervals by tensor. Where an element fits int16 nothing saturates; where it does not,
        what the next operators see is the saturated interval.
    """
    found = {program.x: Interval.whole(program.tensors[program.x].size)}
    for name, (tensor, _) in program.states.items():
        found[tensor] = entering[name]
    scale = {name: tensor.exponent for name, tensor in program.tensors.items()}
    makers: dict[str, Op] = {op.out: op for op in program.ops if not isinstance(op, Split)}
    for op in program.ops:
        _apply(op, scale, makers, found)
    return found


def _apply(
    op: Op, scale: Mapping[str, int], makers: Mapping[str, Op], found: dict[str, Interval]
) -> None:
    """Add the intervals of what an operator makes."""
    match op:
        case FullyConnected():
            found[op.out] = _fully_connected(op, found[op.x].saturated())
        case Split(x, outs):
            x_held = found[x].saturated()
            parts = zip(
                outs, np.split(x_held.low, len(outs)), np.split(x_held.high, len(outs)), strict=True
            )
            found.update({name: Interval(low, high) for name, low, high in parts})
        case Binary(kind, a, b, out):
            operands = found[a].saturated(), scale[a], found[b].saturated(), scale[b], scale[out]
            found[out] = _BINARY[kind](*operands)
            if kind == "add":
                found[out] = _interpolation(op, scale, makers, found)
        case Unary("quantize", x, out):
            x_held = found[x].saturated()
            found[out] = Interval(
                wide_requantize(x_held.low, scale[x], scale[out]),
                wide_requantize(x_held.high, scale[x], scale[out]),
            )
        case Softmax(x, out):
            # Its kernel clamps to this; how little is left of it depends on all elements at once.
            size = len(found[x].low)
            found[out] = Interval(np.zeros(size), np.full(size, INT16_MAX))
        case ArgMax():
            # An index is no tensor.
            pass
        case Unary(kind, x, out):
            table, x_held = _TABLES[kind], found[x].saturated()
            found[out] = Interval(table(x_held.low, scale[x]), table(x_held.high, scale[x]))


_TABLES = {"logistic": logistic, "tanh": tanh}


def _fully_connected(op: FullyConnected, x: Interval) -> Interval:
    """A row is smallest where each input stands at the end that its weight's sign asks for."""
    matrix = op.matrix
    weight = matrix.weight.astype(np.float64)
    rising, falling = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
    none = np.zeros_like(matrix.bias)
    factors = row_multipliers(matrix.weight_scale, matrix.input_exponent, matrix.output_exponent)
    low = accumulate(x.low, rising, matrix.bias) + accumulate(x.high, falling, none)
    high = accumulate(x.high, rising, matrix.bias) + accumulate(x.low, falling, none)
    return Interval(rescale(low, *factors), rescale(high, *factors))


def _add(a: Interval, a_exponent: int, b: Interval, b_exponent: int, out: int) -> Interval:
    return Interval(
        wide_add(a.low, a_exponent, b.low, b_exponent, out),
        wide_add(a.high, a_exponent, b.high, b_exponent, out),
    )


def _subtract(a: Interval, a_exponent: int, b: Interval, b_exponent: int, out: int) -> Interval:
    return Interval(
        wide_subtract(a.low, a_exponent, b.high, b_exponent, out),
        wide_subtract(a.high, a_exponent, b.low, b_exponent, out),
    )


def _multiply(a: Interval, a_exponent: int, b: Interval, b_exponent: int, out: int) -> Interval:
    """A product is linear in each factor: its ends are among those of the four corners."""
    corners = [
        wide_multiply(p, a_exponent, q, b_exponent, out)
        for p, q in product((a.low, a.high), (b.low, b.high))
    ]
    return Interval(np.minimum.reduce(corners), np.maximum.reduce(corners))


_BINARY = {"add": _add, "subtract": _subtract, "multiply": _multiply}


def _interpolation(
    op: Binary, scale: Mapping[str, int], makers: Mapping[str, Op], found: Mapping[str, Interval]
) -> Interval:
    """Tighten the sum ``n + z*(h - n)``, which lies between n and h but for rounding.

    With ``d = round((h - n)/2)`` and ``v = round(z*d)`` at twice the scale of h and n, the sum is
    ``n + 2*v``. It rises with h, and with z or against it by d's sign, so that their ends decide.
    Raising n by 2 lowers d by 1 and v by at most 1, as z stays below 1: the sum cannot fall, and
    its ends are met within one unit of the ends of n. The one exception is the step of n from
    h - 1 to h + 1, where d goes from 1 to -1, as ties are rounded away from zero: so these two
    are tried as well. Where the difference d could saturate the plain sum stands.
    """
    plain = found[op.out]
    for n_name, v_name in ((op.a, op.b), (op.b, op.a)):
        scaled = makers.get(v_name)
        if not (isinstance(scaled, Binary) and scaled.kind == "multiply"):
            continue
        for z_name, d_name in ((scaled.a, scaled.b), (scaled.b, scaled.a)):
            difference = makers.get(d_name)
            if (
                not isinstance(difference, Binary)
                or difference.kind != "subtract"
                or difference.b != n_name
            ):
                continue
            h_name = difference.a
            names = (n_name, h_name, op.out, d_name, v_name, z_name)
            fine = scale[n_name]
            if [scale[name] for name in names] != [
                fine,
                fine,
                fine,
                fine + 1,
                fine + 1,
                HIDDEN_EXPONENT,
            ]:
                continue
            n, h, z = (found[name].saturated() for name in (n_name, h_name, z_name))
            ends = _between(n, h, z, fine)
            usable = found[d_name].fits & found[v_name].fits & (z.low >= 0)
            return Interval(
                np.where(usable, np.maximum(plain.low, ends.low), plain.low),
                np.where(usable, np.minimum(plain.high, ends.high), plain.high),
            )
    return plain


def _between(n: Interval, h: Interval, z: Interval, fine: int) -> Interval:
    """Return the ends of ``n + z*(h - n)`` as `_interpolation` finds them."""

    def sums(n_near: tuple[Array, ...], h_end: Array) -> list[Array]:
        found = []
        for n_any, z_end in product(n_near, (z.low, z.high)):
            n_value = np.clip(n_any, n.low, n.high)
            d = wide_subtract(h_end, fine, n_value, fine, fine + 1)
            v = wide_multiply(z_end, HIDDEN_EXPONENT, d, fine + 1, fine + 1)
            found.append(wide_add(n_value, fine, v, fine + 1, fine))
        return found

    low = sums((n.low, n.low + 1, h.low + 1), h.low)
    high = sums((n.high, n.high - 1, h.high - 1), h.high)
    return Interval(np.minimum.reduce(low), np.maximum.reduce(high))
