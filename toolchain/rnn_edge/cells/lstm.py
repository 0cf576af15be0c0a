"""The LSTM with forget gate, without peepholes.

    i, f, o = sigmoid(W x + b + U h), g = tanh(W_g x + b_g + U_g h)
    c' = f * c + i * g
    h' = o * tanh(c')

Source: Hochreiter and Schmidhuber 1997; Gers et al. 2000, in the form of PyTorch ``nn.LSTM``
and Keras ``LSTM``.
"""

from __future__ import annotations

import numpy as np

from rnn_edge.cells.activations import sigmoid
from rnn_edge.cells.builder import ProgramBuilder
from rnn_edge.errors import ModelError
from rnn_edge.types import Array, QuantizedLayer, RecurrentWeights
from rnn_edge.types.quantized_model import CANDIDATE_EXPONENT, GATE_EXPONENT, HIDDEN_EXPONENT

STATES = ("h", "c")


def float_step(weights: RecurrentWeights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the next state (h, c).

    Args:
        weights: The layer.
        x: float32 (B, D).
        state: h and c, float32 (B, H) each.
    """
    h, c = state
    gates = x @ weights.w_x.T + weights.b_x + h @ weights.w_h.T + weights.b_h
    i, f, g, o = np.split(gates, 4, axis=-1)
    c_next = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c_next), c_next


def lower(
    layer: QuantizedLayer, prefix: str, x: str, state: tuple[str, ...], out: ProgramBuilder
) -> tuple[str, ...]:
    """Write the integer step down; return the names of the next state (h, c)."""
    if layer.cell_exponent is None:
        raise ModelError("An LSTM layer needs cell_exponent.")
    h, c = state
    cell = layer.cell_exponent
    gx = out.fully_connected(f"{prefix}gx", x, layer.x)
    gh = out.fully_connected(f"{prefix}gh", h, layer.h)
    gates = out.binary("add", gx, gh, f"{prefix}gates", GATE_EXPONENT)
    a_i, a_f, a_g, a_o = out.split(gates, [f"{prefix}a_{gate}" for gate in "ifgo"])
    i = out.unary("logistic", a_i, f"{prefix}i", HIDDEN_EXPONENT)
    f = out.unary("logistic", a_f, f"{prefix}f", HIDDEN_EXPONENT)
    o = out.unary("logistic", a_o, f"{prefix}o", HIDDEN_EXPONENT)
    g_fine = out.unary("quantize", a_g, f"{prefix}a_g_fine", CANDIDATE_EXPONENT)
    g = out.unary("tanh", g_fine, f"{prefix}g", HIDDEN_EXPONENT)
    fc = out.binary("multiply", f, c, f"{prefix}fc", cell)
    ig = out.binary("multiply", i, g, f"{prefix}ig", cell)
    c_next = out.binary("add", fc, ig, f"{c.removesuffix('_in')}_out", cell)
    c_fine = out.unary("quantize", c_next, f"{prefix}c_fine", CANDIDATE_EXPONENT)
    tanh_c = out.unary("tanh", c_fine, f"{prefix}tanh_c", HIDDEN_EXPONENT)
    h_next = out.binary("multiply", o, tanh_c, f"{h.removesuffix('_in')}_out", HIDDEN_EXPONENT)
    return h_next, c_next
