"""Second moments of what the weights of a unit do to its hidden state on unreset streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnn_edge.quantize.effects import Effects, GateEffect
from rnn_edge.types import Array

SAMPLES = 8192
"""Moments are taken over at most so many (step, stream) pairs, spread evenly over the streams."""
BLOCK_BYTES = 1 << 28
"""Moments held at a time; units beyond that are worked on one block after the other."""
BATCH = 16
"""Steps multiplied at once."""


@dataclass(frozen=True, eq=False)
class UnitMoments:
    """Second moments for a block of U units, over the first part of the streams and over the rest.

    With ``u`` the vector of what a small error of each weight and each bias makes of the hidden
    state of the unit, an entry is the mean of ``u[k] * u[l]``. Weights come first: for each gate
    its row of the input kernel and its row of the recurrent kernel; then one bias for each gate,
    and a second one for each gate whose recurrent bias does something else.

    Attributes:
        units: The units, a range within the layer.
        early: float64 (U, P, P), over the first part.
        late: float64 (U, P, P), over the rest.
        samples: Pairs behind ``early`` and ``late`` together.
        biases: How many of the P are biases.
    """

    units: range
    early: Array
    late: Array
    samples: int
    biases: int

    def whole(self, late_share: float) -> Array:
        """Return the moments over both parts, given the share of the second."""
        return np.asarray((1.0 - late_share) * self.early + late_share * self.late)


def late_start(steps: int) -> int:
    """Return the step at which the second part begins: the last quarter, at least one step."""
    return steps - max(1, steps // 4)


def unit_moments(effects: Effects, x: Array) -> Iterator[UnitMoments]:
    """Yield the moments of a layer, block by block of its units.

    Args:
        effects: From `layer_effects`, with a leading axis T of at least 2.
        x: float32 (T, B, D), the layer's input.
    """
    hidden = effects.kept.shape[2]
    parameters, _ = _sizes(effects.gates, x.shape[2], hidden)
    block = max(1, BLOCK_BYTES // (16 * parameters * parameters))
    for first in range(0, hidden, block):
        yield _block(effects, x, range(first, min(first + block, hidden)))


def _sizes(gates: tuple[GateEffect, ...], inputs: int, hidden: int) -> tuple[int, int]:
    """Return P, and how many of them are biases."""
    biases = len(gates) + sum(gate.has_own_recurrent_bias for gate in gates)
    return len(gates) * (inputs + hidden) + biases, biases


def _block(effects: Effects, x: Array, units: range) -> UnitMoments:
    steps, streams, inputs = x.shape
    own = slice(units.start, units.stop)
    gates = effects.gates
    hidden = effects.kept.shape[2]
    parameters, biases = _sizes(gates, inputs, hidden)
    memory = np.zeros((len(units), streams, parameters), np.float32)
    seen = np.empty_like(memory)
    every = max(1, -(-steps * streams // SAMPLES))
    border = late_start(steps)
    sums = np.zeros((2, len(units), parameters, parameters))
    counts = [0, 0]
    held: list[Array] = []

    def settle(part: int) -> None:
        if held:
            # In float64 the sum stays positive semidefinite once biases are taken out of it.
            batch = np.concatenate(held, axis=1).astype(np.float64)
            sums[part] += np.matmul(batch.transpose(0, 2, 1), batch)
            counts[part] += batch.shape[1]
            held.clear()

    for t in range(steps):
        memory *= effects.kept[t, :, own].T[:, :, None]
        for part, column in _columns(gates, x[t], t, own, is_direct=False):
            memory[:, :, column] += part
        if t == border:
            settle(0)
        # The last step is always a sample, so that neither part is empty.
        if t % every == every - 1 or t in (border - 1, steps - 1):
            np.multiply(memory, effects.shown[t, :, own].T[:, :, None], out=seen)
            for part, column in _columns(gates, x[t], t, own, is_direct=True):
                seen[:, :, column] = part
            held.append(seen.copy())
            if len(held) == BATCH:
                settle(int(t >= border))
    settle(1)
    return UnitMoments(
        units, sums[0] / max(1, counts[0]), sums[1] / max(1, counts[1]), sum(counts), biases
    )


def _columns(
    gates: tuple[GateEffect, ...], x: Array, t: int, own: slice, *, is_direct: bool
) -> Iterator[tuple[Array, slice]]:
    """Yield what the weights and biases of each gate add at step t, and where they stand."""
    inputs, hidden = x.shape[1], gates[0].operand.shape[2]
    width = inputs + hidden
    bias = len(gates) * width
    second = bias + len(gates)
    for g, gate in enumerate(gates):
        column = g * width
        if gate.is_direct == is_direct:
            share = gate.share[t, :, own].T[:, :, None]
            recurrent = gate.recurrent_share[t, :, own].T[:, :, None]
            yield share * x[None], slice(column, column + inputs)
            yield recurrent * gate.operand[t][None], slice(column + inputs, column + width)
            yield share, slice(bias + g, bias + g + 1)
            if gate.has_own_recurrent_bias:
                yield recurrent, slice(second, second + 1)
        second += gate.has_own_recurrent_bias
