"""Floating-point activations shared by the cells."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import Array


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) in x's dtype, without overflow."""
    return np.asarray(0.5 * (np.tanh(0.5 * x) + 1.0), x.dtype)


def softmax(x: Array) -> Array:
    """Return exp(x) / sum(exp(x)) over the last axis in x's dtype, without overflow."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), x.dtype)
