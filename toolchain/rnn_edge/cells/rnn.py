"""The simple recurrent network.

    h' = tanh(W x + b + U h + c)

Source: Elman 1990, in the form of PyTorch ``nn.RNN``, Keras ``SimpleRNN`` and ONNX ``RNN``.
"""

from __future__ import annotations

import numpy as np

from rnn_edge.cells.builder import ProgramBuilder
from rnn_edge.types import Array, QuantizedLayer, RecurrentWeights
from rnn_edge.types.quantized_model import CANDIDATE_EXPONENT, HIDDEN_EXPONENT

STATES = ("h",)


def float_step(weights: RecurrentWeights, x: Array, state: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the next state (h,).

    Args:
        weights: The layer.
        x: float32 (B, D).
        state: h, float32 (B, H).
    """
    (h,) = state
    return (np.tanh(x @ weights.w_x.T + weights.b_x + h @ weights.w_h.T + weights.b_h),)


def lower(
    layer: QuantizedLayer, prefix: str, x: str, state: tuple[str, ...], out: ProgramBuilder
) -> tuple[str, ...]:
    """Write the integer step down; return the names of the next state (h,)."""
    (h,) = state
    gx = out.fully_connected(f"{prefix}gx", x, layer.x)
    gh = out.fully_connected(f"{prefix}gh", h, layer.h)
    a_n = out.binary("add", gx, gh, f"{prefix}a_n", CANDIDATE_EXPONENT)
    return (out.unary("tanh", a_n, f"{h.removesuffix('_in')}_out", HIDDEN_EXPONENT),)
