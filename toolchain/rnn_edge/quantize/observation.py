"""What the integer program does on calibration streams: ranges, sums and saturation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rnn_edge.fixedpoint import (
    INT16_MAX,
    INT16_MIN,
    accumulate,
    rescale,
    row_multipliers,
    saturate_int16,
    wide_add,
    wide_multiply,
    wide_requantize,
    wide_subtract,
)
from rnn_edge.reference import IntegerReference
from rnn_edge.types import Array, QuantizedModel
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

CHUNK_STEPS = 4096
"""Steps of a finished run that are looked at together."""

_WIDE = {"add": wide_add, "subtract": wide_subtract, "multiply": wide_multiply}


@dataclass(frozen=True, eq=False)
class Observation:
    """What was seen of every tensor, before saturation.

    Attributes:
        streams: B.
        steps: T.
        low: Smallest value of each element by tensor, int64 (size,).
        high: Largest value of each element by tensor, int64 (size,).
        saturated: How many values of each tensor int16 could not hold; of the input, how many are
            at an end, where normalisation cuts off.
        stuck: The elements of each tensor that saturate at every step of the second half of
            every stream, bool (size,); the first half is the time that a state may take to fill.
        sums: Largest magnitude of a finished sum, by the output of its matrix product.
    """

    streams: int
    steps: int
    low: Mapping[str, Array]
    high: Mapping[str, Array]
    saturated: Mapping[str, int]
    stuck: Mapping[str, Array]
    sums: Mapping[str, int]


def observe(model: QuantizedModel, program: Program, frames: Array) -> Observation:
    """Run the integer reference over streams and watch every tensor.

    Args:
        model: The model.
        program: Its step.
        frames: float (B, T, D) in real units, finite; each stream starts from a zero state and is
            never reset. B and T at least 1.
    """
    streams, steps, _ = frames.shape
    reference = IntegerReference(model, streams)
    seen = _Seen(program, steps)
    for t in range(steps):
        wide = np.rint(np.asarray(frames[:, t], np.float64) * 2.0**-model.input_exponent)
        reference.step(saturate_int16(wide))
        seen.add(reference.values, wide.astype(np.int64))
    return _observed(seen, streams, steps)


def observe_steps(
    model: QuantizedModel, program: Program, frames: Array, states: Mapping[str, Array]
) -> Observation:
    """Watch every tensor of the steps of one stream that was run before.

    Given the states, no step waits for the one before it, so that many are made at once.

    Args:
        model: The model.
        program: Its step.
        frames: float (T, D) in real units, finite, T at least 1.
        states: int16 (T, H) by name, after each step from a zero state.

    Returns:
        As `observe`; ``stuck`` says of whole chunks of steps.
    """
    steps = len(frames)
    before = {name: np.concatenate([np.zeros_like(v[:1]), v[:-1]]) for name, v in states.items()}
    seen = _Seen(program, 0)
    for first in range(0, steps, CHUNK_STEPS):
        part = slice(first, first + CHUNK_STEPS)
        wide = np.rint(np.asarray(frames[part], np.float64) * 2.0**-model.input_exponent)
        reference = IntegerReference(model, len(wide))
        reference.reset({name: value[part] for name, value in before.items()})
        reference.step(saturate_int16(wide))
        seen.add(reference.values, wide.astype(np.int64))
    return _observed(seen, 1, steps)


def _observed(seen: _Seen, streams: int, steps: int) -> Observation:
    return Observation(
        streams,
        steps,
        MappingProxyType(seen.low),
        MappingProxyType(seen.high),
        MappingProxyType(seen.saturated),
        MappingProxyType(seen.stuck),
        MappingProxyType(seen.sums),
    )


class _Seen:
    """Collects over the steps."""

    def __init__(self, program: Program, steps: int) -> None:
        self._program = program
        self._scale = {name: tensor.exponent for name, tensor in program.tensors.items()}
        self._makers = {op.out: op for op in program.ops if not isinstance(op, Split)}
        self._step, self._second_half = 0, steps // 2
        sizes = {name: tensor.size for name, tensor in program.tensors.items()}
        self.low = {name: np.full(size, np.iinfo(np.int64).max) for name, size in sizes.items()}
        self.high = {name: np.full(size, np.iinfo(np.int64).min) for name, size in sizes.items()}
        self.saturated = dict.fromkeys(sizes, 0)
        self.stuck = {name: np.full(size, True) for name, size in sizes.items()}
        products = [op for op in program.ops if isinstance(op, FullyConnected)]
        self._products = [(op, op.matrix.weight.astype(np.float64)) for op in products]
        self.sums = {op.out: 0 for op in products}

    def add(self, values: Mapping[str, Array], x: Array) -> None:
        """Take in one step: all tensors, and the input frame before saturation."""
        ends = (x <= INT16_MIN) | (x >= INT16_MAX)
        self.saturated[self._program.x] += int(np.count_nonzero(ends))
        for name in self._program.tensors:
            self._tensor(name, x if name == self._program.x else self._wide(name, values))
        for op, weight in self._products:
            total = accumulate(values[op.x], weight, op.matrix.bias)
            self.sums[op.out] = max(self.sums[op.out], int(np.abs(total).max()))
        self._step += 1

    def _tensor(self, name: str, values: Array) -> None:
        low, high = values.min(axis=0), values.max(axis=0)
        np.minimum(self.low[name], low, out=self.low[name])
        np.maximum(self.high[name], high, out=self.high[name])
        is_held = low.min() >= INT16_MIN and high.max() <= INT16_MAX
        if not is_held:
            outside = (values < INT16_MIN) | (values > INT16_MAX)
            if name != self._program.x:
                self.saturated[name] += int(np.count_nonzero(outside))
        if self._step >= self._second_half:
            self.stuck[name] &= False if is_held else outside.all(axis=0)

    def _wide(self, name: str, values: Mapping[str, Array]) -> Array:
        """Return a tensor before saturation; it is made again only where it reaches an end."""
        held = values[name]
        if name not in self._makers or (held.min() > INT16_MIN and held.max() < INT16_MAX):
            return held
        return wide_result(self._makers[name], values, self._scale)


def wide_result(op: Op, values: Mapping[str, Array], scale: Mapping[str, int]) -> Array:
    """Return what an operator with one output makes, before saturation, (..., size).

    Args:
        op: Any but a `Split`.
        values: Its operands by name, int16.
        scale: Exponent of every tensor.
    """
    match op:
        case FullyConnected(x=x, matrix=matrix):
            factors = row_multipliers(
                matrix.weight_scale, matrix.input_exponent, matrix.output_exponent
            )
            total = accumulate(values[x], matrix.weight.astype(np.float64), matrix.bias)
            return rescale(total, *factors)
        case Binary(kind, a, b, out):
            return _WIDE[kind](values[a], scale[a], values[b], scale[b], scale[out])
        case Unary("quantize", x, out):
            return wide_requantize(values[x], scale[x], scale[out])
        case Unary(_, _, out) | Softmax(_, out) | ArgMax(_, out):
            # The values of a table fit by themselves.
            return values[out]
        case Split():
            raise ValueError("a split makes nothing of its own")
