"""Untrained recurrent models with the weights that Keras begins with, and streams to feed them."""

from __future__ import annotations

import numpy as np

from rnn_edge.types import GATES, Array, CellKind, DenseWeights, FloatModel, RecurrentWeights

LABELS = 12
CORRELATION = 0.9
"""Of one frame with the next; features of sound and of machines move slowly."""


def initial_model(
    cell: CellKind, layers: int, hidden: int, inputs: int, seed: int, forget_bias: float = 1.0
) -> FloatModel:
    """Return glorot-uniform input kernels, orthogonal recurrent kernels and zero biases.

    Args:
        cell: "gru" or "lstm".
        layers: Recurrent layers, all of the same size.
        hidden: Units H.
        inputs: Features D.
        seed: Of the weights.
        forget_bias: Bias of the LSTM's forget gate; Keras begins with 1.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = len(GATES[cell]) * hidden
    stack: list[RecurrentWeights] = []
    width = inputs
    for _ in range(layers):
        bias = np.zeros(rows)
        if cell == "lstm":
            forget = GATES[cell].index("f") * hidden
            bias[forget : forget + hidden] = forget_bias
        limit = (6.0 / (width + rows)) ** 0.5
        w_x = generator.uniform(-limit, limit, (rows, width))
        # Orthonormal columns; the signs make the distribution uniform over such matrices.
        w_h, triangle = np.linalg.qr(generator.normal(size=(rows, hidden)))
        w_h = w_h * np.sign(np.diag(triangle))
        stack.append(RecurrentWeights(cell, w_x, w_h, bias, np.zeros(rows)))
        width = hidden
    limit = (6.0 / (hidden + LABELS)) ** 0.5
    head = DenseWeights(generator.uniform(-limit, limit, (LABELS, hidden)), np.zeros(LABELS))
    labels = tuple(f"c{k}" for k in range(LABELS))
    return FloatModel("initial", "kws", tuple(stack), head, labels)


def slow_noise(steps: int, inputs: int, seed: int) -> Array:
    """Return frames float32 (T, D) of mean 0 and variance 1 that follow one another slowly."""
    generator = np.random.Generator(np.random.PCG64(seed))
    fresh = generator.normal(0.0, 1.0, (steps, inputs))
    frames = np.empty((steps, inputs), np.float32)
    value = fresh[0]
    for t in range(steps):
        if t > 0:
            value = CORRELATION * value + (1.0 - CORRELATION**2) ** 0.5 * fresh[t]
        frames[t] = value
    return frames
