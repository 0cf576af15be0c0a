"""The Keras models that are given to TensorFlow's converter, and the samples it calibrates on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rnn_edge.reference import FloatReference
from rnn_edge.types import GATES, Array, FloatModel, RecurrentWeights

KERAS_GATES = {"gru": ("z", "r", "n"), "lstm": ("i", "f", "g", "o")}
WINDOW = 50
"""Frames of a sequence; one invoke of a window covers the first measurement of drift."""
STEP = "step"
FORMS = (STEP, "window", "carried", "unrolled", "fused")
"""One frame with the state going in and coming out; or a layer over a window: from a zero state,
with the state going in and coming out, the same unrolled, and from a zero state with tf_keras,
whose LSTM the converter turns into one operator."""
HAS_STATE = (STEP, "carried", "unrolled")


def keras_weights(layer: RecurrentWeights) -> list[Array]:
    """Return kernel (D, G*H), recurrent kernel (H, G*H) and bias in the gate order of Keras."""

    def reorder(value: Array) -> Array:
        blocks = dict(zip(GATES[layer.kind], np.split(value, len(GATES[layer.kind])), strict=True))
        return np.concatenate([blocks[gate] for gate in KERAS_GATES[layer.kind]])

    kernels = [reorder(layer.w_x).T, reorder(layer.w_h).T]
    b_x, b_h = reorder(layer.b_x), reorder(layer.b_h)
    return [*kernels, np.stack([b_x, b_h]) if layer.kind == "gru" else b_x + b_h]


def keras_model(model: FloatModel, form: str) -> Any:  # noqa: ANN401 - Keras has no types
    """Return a functional model with the weights of ``model``.

    Inputs are "x" and, in the forms of `HAS_STATE`, "h0_in" and so on; outputs are "y", the
    states that leave ("h0_out") and, over a window, the hidden states of all steps ("h0").

    Args:
        model: The model.
        form: One of `FORMS`.
    """
    if form == "fused":
        import tf_keras as keras
    else:
        import keras
    is_step = form == STEP
    names = list(FloatReference(model).state)
    shape = (1, model.inputs) if is_step else (1, WINDOW, model.inputs)
    x = keras.Input(batch_shape=shape, name="x")
    entering: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    placed: list[tuple[Any, list[Array]]] = []
    signal = x
    for k, weights in enumerate(model.layers):
        own = [name for name in names if name[1:] == str(k)]
        if form in HAS_STATE:
            for name in own:
                entering[name] = keras.Input(batch_shape=(1, weights.hidden), name=f"{name}_in")
        given = [entering[name] for name in own] if form in HAS_STATE else None
        kind = {"gru": "GRU", "lstm": "LSTM"}[weights.kind]
        if is_step:
            layer = getattr(keras.layers, f"{kind}Cell")(weights.hidden)
            signal, leaving = layer(signal, given)
        else:
            # A model of tf_keras calls its outputs after the layers.
            layer = getattr(keras.layers, kind)(
                weights.hidden,
                return_sequences=True,
                return_state=given is not None,
                unroll=form == "unrolled",
                name=f"h{k}",
            )
            result = layer(signal, initial_state=given)
            signal, *leaving = result if given is not None else [result]
            outputs[f"h{k}"] = signal
        outputs |= {f"{name}_out": value for name, value in zip(own, leaving, strict=False)}
        placed.append((layer, keras_weights(weights)))
    head = keras.layers.Dense(model.outputs, name="y")
    outputs["y"] = head(signal)
    network = keras.Model([x, *entering.values()], outputs)
    for layer, values in [*placed, (head, [model.head.w.T, model.head.b])]:
        layer.set_weights(values)
    return network


def samples(
    model: FloatModel, frames: Array, form: str, states: str
) -> Iterator[tuple[str, dict[str, Array]]]:
    """Yield what the converter sees of the model's use: a signature and its inputs by name.

    Args:
        model: The model.
        frames: float32 (T, D) calibration frames.
        form: One of `FORMS`.
        states: "stream" for the states that the float model has when it meets a frame, "uniform"
            for states drawn from -1..1, "zero" for none but the state that a stream begins with.
    """
    reference = FloatReference(model)
    generator = np.random.Generator(np.random.PCG64(0))
    length = 1 if form == STEP else WINDOW
    for start in range(0, len(frames) - length + 1, length):
        part = frames[None, start : start + length]
        sample = {"x": part[:, 0] if form == STEP else part}
        for name, value in reference.state.items() if form in HAS_STATE else ():
            if states == "stream":
                sample[f"{name}_in"] = value.copy()
            else:
                limit = 1.0 if states == "uniform" else 0.0
                drawn = generator.uniform(-limit, limit, value.shape)
                sample[f"{name}_in"] = drawn.astype(np.float32)
        yield "serving_default", sample
        reference.run(part)
