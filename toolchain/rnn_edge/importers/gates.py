"""Gate orders of other frameworks, in our letters, and the way from theirs to ours."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.types import GATES, Array, CellKind

KERAS: Mapping[CellKind, str] = MappingProxyType(
    {"gru": "zrn", "gru_reset_before": "zrn", "lstm": "ifgo", "rnn": "n"}
)
"""Keras calls our n of a GRU "h" and our g "c".

Source: ``keras.layers.GRUCell.call`` and ``LSTMCell.call``.
"""
PYTORCH: Mapping[CellKind, str] = MappingProxyType({"gru": "rzn", "lstm": "ifgo", "rnn": "n"})
"""Source: documentation of ``torch.nn.GRU.weight_ih_l`` and ``torch.nn.LSTM.weight_ih_l``."""
ONNX: Mapping[CellKind, str] = MappingProxyType(
    {"gru": "zrn", "gru_reset_before": "zrn", "lstm": "iofg", "rnn": "n"}
)
"""ONNX calls our n "h" and our g "c".

Source: ONNX operator specification, GRU-14, LSTM-14 and RNN-14.
"""


def reordered(value: Array, kind: CellKind, order: str) -> Array:
    """Return a float32 copy of a (G*H, ...) array with its gate blocks in the order of `GATES`.

    Args:
        value: Blocks in the other framework's order.
        kind: The cell.
        order: That order, in our letters.

    Raises:
        ModelError: If the rows cannot be cut into that many blocks.
    """
    exact = np.asarray(value)
    if exact.ndim == 0 or exact.shape[0] % len(order):
        raise ModelError(
            f"Import of a {kind} layer: weights of shape {exact.shape}; expected a multiple of "
            f"{len(order)} rows."
        )
    blocks = dict(zip(order, np.split(exact, len(order)), strict=True))
    return np.concatenate([blocks[gate] for gate in GATES[kind]]).astype(np.float32)
