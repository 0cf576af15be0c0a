"""Smallest and largest values of a float model's tensors on streams that are never reset."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.reference import FloatReference
from rnn_edge.types import Array, FloatModel
from rnn_edge.types.spans import TensorSpan


def measure_spans(
    model: FloatModel, streams: Array, headroom_bits: float = 1.0
) -> dict[str, TensorSpan]:
    """Run the float model over streams and return the span of y and every state by name.

    The span of y is that of the dense head, before a softmax.

    Args:
        model: The model.
        streams: float32 (B, T, D) normalised frames; each stream starts from a zero state and is
            never reset.
        headroom_bits: Reserve over the span of y, as in `quantize_model`.

    Raises:
        ModelError: If an output or a state is not a finite number.
    """
    frames = np.asarray(streams, np.float32)
    engine = FloatReference(replace(model, head_kind="linear"), frames.shape[0])
    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for t in range(frames.shape[1]):
        y = engine.step(frames[:, t])
        for name, values in {"y": y, **engine.state}.items():
            if not np.isfinite(values).all():
                raise ModelError(
                    f"Calibration: {name} is not a finite number at step {t}.",
                    "check the training data for gaps and the training curves for divergence",
                )
            low[name] = min(low.get(name, np.inf), float(values.min()))
            high[name] = max(high.get(name, -np.inf), float(values.max()))
    reserve = {"y": 2.0**headroom_bits}
    return {
        name: TensorSpan(low[name] * reserve.get(name, 1.0), high[name] * reserve.get(name, 1.0))
        for name in low
    }
