"""From Keras: a model, or its layers in order.

Read through ``get_config`` and ``get_weights``, so that Keras 2 and 3 and every backend serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from typing import Any

import numpy as np

from rnn_edge.importers.assembly import SHAPE, Assembly, refuse, refuse_bidirectional
from rnn_edge.importers.gates import KERAS, reordered
from rnn_edge.types import Array, CellKind, FloatModel, RecurrentWeights, Task

_SKIPPED = frozenset(
    {
        "ActivityRegularization",
        "Dropout",
        "GaussianDropout",
        "GaussianNoise",
        "Identity",
        "InputLayer",
        "SpatialDropout1D",
    }
)
"""What does nothing outside training."""
_HISTORY = "keras_history"


def from_keras(
    model: Any,  # noqa: ANN401 - Keras is not imported
    name: str = "model",
    labels: Sequence[str] | None = None,
    task: Task = "kws",
) -> FloatModel:
    """Return the float model of a Keras model.

    ``GRU`` (``reset_after`` true and false), ``LSTM`` and ``SimpleRNN`` in any order, then a
    ``Dense`` layer (also inside ``TimeDistributed``) with a linear or a softmax activation. With
    ``return_sequences=False`` Keras gives the outputs of the last step; ours has them at every
    step, and those of the last are the same.

    Args:
        model: A Sequential or a functional model that is one chain, or an iterable of layers.
        name: Name of the model, a C identifier.
        labels: Names of the outputs; numbers by default.
        task: What the outputs are.

    Raises:
        ModelError: If a layer, an activation or an option has no exact counterpart.
    """
    assembly = Assembly(name, task, labels)
    for layer in _chain(model):
        _add(layer, assembly)
    return assembly.model()


def _chain(model: Any) -> Iterator[Any]:  # noqa: ANN401 - Keras is not imported
    """Yield the layers of a model, of models inside it, or of an iterable."""
    if isinstance(model, str | bytes | PathLike):
        refuse(
            f"from_keras was given {model!r:.80}",
            "a Keras model",
            "load the file first: from_keras(keras.saving.load_model(path))",
        )
    if not hasattr(model, "layers"):
        if not isinstance(model, Iterable):
            refuse(f"{type(model).__name__} has no layers", "a Keras model or a list of layers")
        yield from model
        return
    config = model.get_config()
    if isinstance(config, dict):
        _require_chain(config.get("layers", []))
    for layer in model.layers:
        if hasattr(layer, "layers") and not hasattr(layer, "cell"):
            yield from _chain(layer)
        else:
            yield layer


def _require_chain(layers: Sequence[dict[str, Any]]) -> None:
    """Refuse a functional model in which a layer does not read the one before it alone."""
    before = ""
    for layer in layers:
        read = list(_histories(layer.get("inbound_nodes", [])))
        name = str(layer.get("name", layer.get("config", {}).get("name", "")))
        if read and read != [before]:
            refuse(f"layer {name!r} reads {', '.join(map(repr, read))}", f"a chain: {SHAPE}")
        before = name


def _histories(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    """Yield the names of the layers that a serialised call reads."""
    if isinstance(value, dict):
        if _HISTORY in value:
            yield str(value[_HISTORY][0])
        else:
            for item in value.values():
                yield from _histories(item)
    elif isinstance(value, list | tuple):
        # Keras 2 wrote ["layer", node, tensor, {...}].
        if len(value) == 4 and isinstance(value[0], str) and isinstance(value[1], int):
            yield value[0]
        else:
            for item in value:
                yield from _histories(item)


def _add(layer: Any, assembly: Assembly) -> None:  # noqa: ANN401 - Keras is not imported
    kind = type(layer).__name__
    if not hasattr(layer, "get_config") or not hasattr(layer, "get_weights"):
        refuse(f"{kind} is no layer", "a Keras model or a list of layers")
    what = f"Keras layer {getattr(layer, 'name', kind)!r} ({kind})"
    config = layer.get_config()
    if kind == "Bidirectional":
        refuse_bidirectional(what)
    if kind == "TimeDistributed" and type(layer.layer).__name__ == "Dense":
        layer, kind, config = layer.layer, "Dense", layer.layer.get_config()
    if kind in ("GRU", "LSTM", "SimpleRNN"):
        assembly.recurrent(_recurrent(layer, kind, config, what), what)
    elif kind == "Dense":
        activation = config["activation"]
        if activation not in ("linear", "softmax"):
            refuse(f"{what} has activation {activation!r}", "'linear' or 'softmax'")
        kernel, *bias = _weights(layer, what)
        assembly.dense(kernel.T, bias[0] if bias else None, what)
        if activation == "softmax":
            assembly.head("softmax", what)
    elif kind == "Softmax" or (kind == "Activation" and config["activation"] == "softmax"):
        if config.get("axis", -1) != -1:
            refuse(f"{what} has axis {config['axis']}", "-1")
        assembly.head("softmax", what)
    elif kind not in _SKIPPED and not (kind == "Activation" and config["activation"] == "linear"):
        refuse(what, SHAPE)


def _weights(layer: Any, what: str) -> list[Array]:  # noqa: ANN401 - Keras is not imported
    """Return a layer's weights; a layer that never saw the shape of its input has none."""
    weights: list[Array] = layer.get_weights()
    if not weights:
        refuse(
            f"{what} has no weights yet",
            "a model that is built",
            "begin it with keras.Input((None, features)), or call it once, or build() it; "
            "then train it",
        )
    return weights


def _recurrent(layer: Any, kind: str, config: dict[str, Any], what: str) -> RecurrentWeights:  # noqa: ANN401
    if config.get("go_backwards"):
        refuse_bidirectional(f"{what} has go_backwards = True")
    wanted = {"activation": "tanh"}
    if kind != "SimpleRNN":
        wanted["recurrent_activation"] = "sigmoid"
    for key, value in wanted.items():
        if config[key] != value:
            refuse(f"{what} has {key} = {config[key]!r}", f"{value!r}")
    cells: dict[str, CellKind] = {"LSTM": "lstm", "SimpleRNN": "rnn", "GRU": "gru"}
    cell = cells[kind]
    if kind == "GRU" and not config["reset_after"]:
        cell = "gru_reset_before"
    kernel, recurrent, *biases = _weights(layer, what)
    none = np.zeros(kernel.shape[1], np.float32)
    b_x, b_h = none, none
    if biases and biases[0].ndim == 2:
        b_x, b_h = biases[0]
    elif biases:
        b_x = biases[0]

    def ours(value: Array) -> Array:
        return reordered(value, cell, KERAS[cell])

    return RecurrentWeights(cell, ours(kernel.T), ours(recurrent.T), ours(b_x), ours(b_h))
