"""Outputs of the float or the integer model in real units, whatever runs it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import Array, FloatModel, QuantizedModel

Runner = Callable[[Array], Array]
"""Frames float32 (B, T, D), each stream from a zero state, to outputs float32 (B, T, C)."""


def float_runner(model: FloatModel) -> Runner:
    """Return a runner of the floating-point model."""
    return lambda frames: FloatReference(model, len(frames)).run(frames).outputs


def integer_runner(model: QuantizedModel) -> Runner:
    """Return a runner of the integer model; every engine that is bit-exact gives the same."""
    scale = np.float32(2.0**model.output_exponent)

    def run(frames: Array) -> Array:
        x = quantize_input(frames, model.input_exponent)
        outputs = IntegerReference(model, len(frames)).run(x).outputs
        return np.asarray(outputs.astype(np.float32) * scale)

    return run
