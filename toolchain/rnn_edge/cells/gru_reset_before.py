"""The GRU whose reset gate multiplies the state before the recurrent product.

    r = sigmoid(W_r x + b_r + U_r h + c_r)
    z = sigmoid(W_z x + b_z + U_z h + c_z)
    n = tanh(W_n x + b_n + U_n (r * h) + c_n)
    h' = n + z * (h - n)

Source: Cho et al. 2014, arXiv:1406.1078, in the form of Keras ``GRU(reset_after=False)`` and ONNX
``GRU`` with ``linear_before_reset=0``.
"""

from __future__ import annotations

import numpy as np

from rnn_edge.cells.activations import sigmoid
from rnn_edge.cells.builder import ProgramBuilder
from rnn_edge.types import Array, QuantizedLayer, RecurrentWeights
from rnn_edge.types.quantized_model import (
    CANDIDATE_EXPONENT,
    DIFFERENCE_EXPONENT,
    GATE_EXPONENT,
    HIDDEN_EXPONENT,
)

STATES = ("h",)


def float_step(weights: RecurrentWeights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the next state (h,).

    Args:
        weights: The layer.
        x: float32 (B, D).
        state: h, float32 (B, H).
    """
    (h,) = state
    cut = 2 * weights.hidden
    x_r, x_z, x_n = np.split(x @ weights.w_x.T + weights.b_x, 3, axis=-1)
    h_r, h_z = np.split(h @ weights.w_h[:cut].T + weights.b_h[:cut], 2, axis=-1)
    r = sigmoid(x_r + h_r)
    z = sigmoid(x_z + h_z)
    n = np.tanh(x_n + (r * h) @ weights.w_h[cut:].T + weights.b_h[cut:])
    return (n + z * (h - n),)


def lower(
    layer: QuantizedLayer, prefix: str, x: str, state: tuple[str, ...], out: ProgramBuilder
) -> tuple[str, ...]:
    """Write the integer step down; return the names of the next state (h,)."""
    (h,) = state
    units = layer.hidden
    gx = out.fully_connected(f"{prefix}gx", x, layer.x)
    gh = out.rows(f"{prefix}gh", h, layer.h, 0, 2 * units)
    x_r, x_z, x_n = out.split(gx, [f"{prefix}x_{gate}" for gate in "rzn"])
    h_r, h_z = out.split(gh, [f"{prefix}h_{gate}" for gate in "rz"])
    a_r = out.binary("add", x_r, h_r, f"{prefix}a_r", GATE_EXPONENT)
    a_z = out.binary("add", x_z, h_z, f"{prefix}a_z", GATE_EXPONENT)
    r = out.unary("logistic", a_r, f"{prefix}r", HIDDEN_EXPONENT)
    z = out.unary("logistic", a_z, f"{prefix}z", HIDDEN_EXPONENT)
    rh = out.binary("multiply", r, h, f"{prefix}rh", HIDDEN_EXPONENT)
    h_n = out.rows(f"{prefix}h_n", rh, layer.h, 2 * units, units)
    a_n = out.binary("add", x_n, h_n, f"{prefix}a_n", CANDIDATE_EXPONENT)
    n = out.unary("tanh", a_n, f"{prefix}n", HIDDEN_EXPONENT)
    d = out.binary("subtract", h, n, f"{prefix}d", DIFFERENCE_EXPONENT)
    zd = out.binary("multiply", z, d, f"{prefix}zd", DIFFERENCE_EXPONENT)
    return (out.binary("add", n, zd, f"{h.removesuffix('_in')}_out", HIDDEN_EXPONENT),)
