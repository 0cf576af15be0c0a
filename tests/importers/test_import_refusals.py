"""What is refused at the border: names, labels, shapes and things of another type."""

import dataclasses

import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.engines.base import Engine
from rnn_edge.errors import ModelError, SavedStateError
from rnn_edge.importers import from_keras, from_pytorch
from rnn_edge.quantize import calibrate

MODEL = float_model(Shape(("gru",), (4,)))


def state():
    return {
        "rnn.weight_ih_l0": np.ones((12, 5)),
        "rnn.weight_hh_l0": np.ones((12, 4)),
        "fc.weight": np.ones((3, 4)),
    }


@pytest.mark.parametrize("labels", [[1, 2, 3], "abc", ["a", "", "c"], ["a", "b", "a"], []])
def test_labels_are_different_names(labels):
    with pytest.raises(ModelError):
        from_pytorch(state(), "door", labels)
    for model in (MODEL, quantized_model(MODEL, -10)):
        with pytest.raises(ModelError):
            dataclasses.replace(model, labels=labels)


@pytest.mark.parametrize("name", ["my door", "../../evil", "x" * 60, "rnn_edge_x", "stdint", ""])
def test_names_are_free_identifiers(name):
    with pytest.raises(ModelError, match="Model name"):
        from_pytorch(state(), name)
    for model in (MODEL, quantized_model(MODEL, -10)):
        with pytest.raises(ModelError, match="Model name"):
            dataclasses.replace(model, name=name)


@pytest.mark.parametrize("shape", [(20, 5), (1, 20, 4), (1, 0, 5), (0, 20, 5), (5,)])
def test_calibration_says_which_shape_it_takes(shape):
    with pytest.raises(ModelError) as caught:
        calibrate(MODEL, np.zeros(shape, np.float32))
    assert f"shape {shape}; expected (streams, frames, features) = (B, T, 5)" in str(caught.value)


@pytest.mark.parametrize("blob", [None, 5, "text"])
def test_a_state_is_bytes(blob):
    class Still(Engine):
        model = quantized_model(MODEL, -10)

        def reset(self, state=None):
            raise AssertionError("the state was touched")

        step = state = reset

    with pytest.raises(SavedStateError, match=type(blob).__name__):
        Still().restore(blob)


def test_a_path_is_no_keras_model():
    with pytest.raises(ModelError, match=r"given 'model\.keras'; expected a Keras model") as caught:
        from_keras("model.keras")
    assert "load_model" in caught.value.hint
    with pytest.raises(ModelError, match="int is no layer"):
        from_keras([1])


def test_a_keras_model_without_an_input_has_no_weights_yet():
    pytest.importorskip("tensorflow")
    import keras

    layers = [keras.layers.GRU(4, return_sequences=True), keras.layers.Dense(3)]
    with pytest.raises(ModelError, match="has no weights yet") as caught:
        from_keras(keras.Sequential(layers))
    assert "keras.Input" in caught.value.hint
