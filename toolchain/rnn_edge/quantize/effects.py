"""How an error of a gate's pre-activation reaches the hidden state of the gate's own unit.

To first order, an error ``d`` of a pre-activation at step t adds ``share[t] * d`` to what the unit
remembers; of that, ``kept`` is left after each further step, and ``shown`` of it stands in the
hidden state. The ways through other units are left out, so that each unit's weights can be rounded
by themselves.

Source: the derivatives of the cell equations in `rnn_edge.cells`; the recursion of one unit's own
error is that of real-time recurrent learning (Williams and Zipser 1989) with a diagonal Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_edge.cells import CELLS
from rnn_edge.cells.activations import sigmoid
from rnn_edge.types import Array, CellKind, RecurrentWeights


@dataclass(frozen=True, eq=False)
class GateEffect:
    """One gate at one step, or at all steps of a layer with a leading axis T.

    Attributes:
        share: float (B, H), what a unit error of the gate's input product adds to the memory.
        recurrent_share: The same for its recurrent product; the same array where both products
            are simply added.
        operand: float (B, H), what the gate's rows of the recurrent kernel are multiplied with.
        is_direct: The gate acts on the hidden state alone, at once, and on no memory.
        is_apart: The gate acts through all units; its errors are taken as unrelated to those of
            the unit's other gates.
    """

    share: Array
    recurrent_share: Array
    operand: Array
    is_direct: bool = False
    is_apart: bool = False

    @property
    def has_own_recurrent_bias(self) -> bool:
        """Whether the two biases of the gate differ in what they do."""
        return self.recurrent_share is not self.share


@dataclass(frozen=True, eq=False)
class Effects:
    """One step of a layer, or all its steps with a leading axis T.

    Attributes:
        kept: float (B, H), share of an error of the memory that is left after the step.
        shown: float (B, H), how an error of the memory stands in the hidden state.
        gates: In the order of `GATES`.
        hidden: float (B, H), the hidden state after the step.
    """

    kept: Array
    shown: Array
    gates: tuple[GateEffect, ...]
    hidden: Array


def layer_effects(weights: RecurrentWeights, x: Array) -> Effects:
    """Run a layer over streams from a zero state, never reset.

    Args:
        weights: The layer.
        x: float (T, B, D), its input.

    Returns:
        Float32 arrays with a leading axis T.
    """
    state = tuple(np.zeros((x.shape[1], weights.hidden)) for _ in CELLS[weights.kind].states)
    one_step = _EFFECTS[weights.kind]
    steps: list[Effects] = []
    for frame in x:
        found, state = one_step(weights, np.asarray(frame, np.float64), state)
        steps.append(found)

    def stacked(arrays: list[Array]) -> Array:
        return np.stack(arrays).astype(np.float32)

    gates = []
    for g, first in enumerate(steps[0].gates):
        share = stacked([step.gates[g].share for step in steps])
        recurrent = share
        if first.has_own_recurrent_bias:
            recurrent = stacked([step.gates[g].recurrent_share for step in steps])
        operand = stacked([step.gates[g].operand for step in steps])
        gates.append(GateEffect(share, recurrent, operand, first.is_direct, first.is_apart))
    return Effects(
        stacked([step.kept for step in steps]),
        stacked([step.shown for step in steps]),
        tuple(gates),
        stacked([step.hidden for step in steps]),
    )


_State = tuple[Array, ...]


def _gru(weights: RecurrentWeights, x: Array, state: _State) -> tuple[Effects, _State]:
    (h,) = state
    x_r, x_z, x_n = np.split(x @ weights.w_x.T + weights.b_x, 3, axis=-1)
    h_r, h_z, h_n = np.split(h @ weights.w_h.T + weights.b_h, 3, axis=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    candidate = (1.0 - z) * (1.0 - n * n)
    reset = candidate * h_n * r * (1.0 - r)
    update = (h - n) * z * (1.0 - z)
    leaving = n + z * (h - n)
    gates = (
        GateEffect(reset, reset, h),
        GateEffect(update, update, h),
        GateEffect(candidate, candidate * r, h),
    )
    return Effects(z, np.ones_like(z), gates, leaving), (leaving,)


def _gru_reset_before(weights: RecurrentWeights, x: Array, state: _State) -> tuple[Effects, _State]:
    (h,) = state
    cut = 2 * weights.hidden
    x_r, x_z, x_n = np.split(x @ weights.w_x.T + weights.b_x, 3, axis=-1)
    h_r, h_z = np.split(h @ weights.w_h[:cut].T + weights.b_h[:cut], 2, axis=-1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + (r * h) @ weights.w_h[cut:].T + weights.b_h[cut:])
    candidate = (1.0 - z) * (1.0 - n * n)
    # One unit's reset gate stands in every candidate; the root of the summed squares is its size.
    reach = np.sqrt(np.square(candidate) @ np.square(weights.w_h[cut:].astype(np.float64)))
    reset = reach * h * r * (1.0 - r)
    update = (h - n) * z * (1.0 - z)
    leaving = n + z * (h - n)
    gates = (
        GateEffect(reset, reset, h, is_apart=True),
        GateEffect(update, update, h),
        GateEffect(candidate, candidate, r * h),
    )
    return Effects(z, np.ones_like(z), gates, leaving), (leaving,)


def _lstm(weights: RecurrentWeights, x: Array, state: _State) -> tuple[Effects, _State]:
    h, c = state
    a = x @ weights.w_x.T + weights.b_x + h @ weights.w_h.T + weights.b_h
    a_i, a_f, a_g, a_o = np.split(a, 4, axis=-1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    cell = f * c + i * g
    squashed = np.tanh(cell)
    of_input, of_forget = g * i * (1.0 - i), c * f * (1.0 - f)
    of_cell, of_output = i * (1.0 - g * g), squashed * o * (1.0 - o)
    gates = (
        GateEffect(of_input, of_input, h),
        GateEffect(of_forget, of_forget, h),
        GateEffect(of_cell, of_cell, h),
        GateEffect(of_output, of_output, h, is_direct=True),
    )
    leaving = o * squashed
    return Effects(f, o * (1.0 - squashed * squashed), gates, leaving), (leaving, cell)


def _rnn(weights: RecurrentWeights, x: Array, state: _State) -> tuple[Effects, _State]:
    (h,) = state
    n = np.tanh(x @ weights.w_x.T + weights.b_x + h @ weights.w_h.T + weights.b_h)
    slope = 1.0 - n * n
    # What a unit keeps of itself goes through the recurrent kernel, and it need not contract.
    gates = (GateEffect(slope, slope, h),)
    return Effects(np.zeros_like(n), np.ones_like(n), gates, n), (n,)


_EFFECTS: dict[CellKind, Callable[[RecurrentWeights, Array, _State], tuple[Effects, _State]]] = {
    "gru": _gru,
    "gru_reset_before": _gru_reset_before,
    "lstm": _lstm,
    "rnn": _rnn,
}
