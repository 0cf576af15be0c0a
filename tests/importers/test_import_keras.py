"""Keras's own outputs: every cell it has, stacks, heads, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from rnn_edge.errors import ModelError
from rnn_edge.importers import from_keras
from rnn_edge.reference import FloatReference

STEPS, STREAMS, INPUTS = 25, 3, 4
L = keras.layers


def cell(kind, units, **options):
    options = {"return_sequences": True, "bias_initializer": "random_normal", **options}
    return getattr(L, kind)(units, **options)


STACKS = {
    "gru": lambda: [cell("GRU", 5, reset_after=True)],
    "gru_reset_before": lambda: [cell("GRU", 5, reset_after=False)],
    "lstm": lambda: [cell("LSTM", 5, unit_forget_bias=False)],
    "rnn": lambda: [cell("SimpleRNN", 5)],
    "gru without bias": lambda: [cell("GRU", 5, use_bias=False)],
    "lstm without bias": lambda: [cell("LSTM", 5, use_bias=False)],
    "all": lambda: [
        cell("LSTM", 6),
        cell("GRU", 5, reset_after=False),
        L.Dropout(0.5),
        cell("SimpleRNN", 7),
        cell("GRU", 4),
    ],
}


def model_of(layers, seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((STEPS, INPUTS)), *layers])
    for layer in model.layers:
        layer.set_weights([1.5 * weight for weight in layer.get_weights()])
    return model


def frames():
    return np.random.default_rng(0).normal(0, 1.5, (STREAMS, STEPS, INPUTS)).astype(np.float32)


@pytest.mark.parametrize("name", STACKS)
def test_outputs_are_those_of_keras(name):
    model = model_of([*STACKS[name](), L.Dense(3, bias_initializer="random_normal")])
    x = frames()
    expected = model(x).numpy()
    before = [weight.copy() for weight in model.get_weights()]
    imported = from_keras(model)
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    np.testing.assert_allclose(
        FloatReference(imported, STREAMS).run(x).outputs, expected, atol=3e-6
    )
    if name in ("gru", "gru_reset_before", "lstm", "rnn"):
        assert [layer.kind for layer in imported.layers] == [name]


def test_weights_are_copies():
    model = model_of([cell("GRU", 5), L.Dense(3)])
    imported = from_keras(model)
    digest = imported.digest()
    for layer in model.layers:
        layer.set_weights([0.0 * weight for weight in layer.get_weights()])
    assert imported.digest() == digest
    assert imported.layers[0].w_h.any()


@pytest.mark.parametrize(
    "head",
    [
        [lambda: L.Dense(3, activation="softmax")],
        [lambda: L.Dense(3), lambda: L.Softmax()],
        [lambda: L.TimeDistributed(L.Dense(3)), lambda: L.Activation("softmax")],
    ],
)
def test_softmax_heads(head):
    model = model_of([cell("GRU", 5), *(make() for make in head)])
    imported = from_keras(model, "door", ("a", "b", "c"))
    assert imported.head_kind == "softmax"
    assert imported.labels == ("a", "b", "c")
    found = FloatReference(imported, STREAMS).run(frames()).outputs
    np.testing.assert_allclose(found, model(frames()).numpy(), atol=2e-6)


def test_a_model_of_the_last_step_gives_it_at_the_last_step():
    model = model_of([cell("LSTM", 6), cell("GRU", 5, return_sequences=False), L.Dense(3)])
    found = FloatReference(from_keras(model), STREAMS).run(frames()).outputs[:, -1]
    np.testing.assert_allclose(found, model(frames()).numpy(), atol=3e-6)


def test_functional_models_and_lists_of_layers():
    x = keras.Input((STEPS, INPUTS))
    y = L.Dense(2)(cell("GRU", 5)(x))
    model = keras.Model(x, y)
    assert from_keras(model).digest() == from_keras(model.layers).digest()
    branched = keras.Model(x, L.Dense(2)(L.Add()([cell("GRU", 5)(x), cell("GRU", 5)(x)])))
    with pytest.raises(ModelError, match="expected a chain"):
        from_keras(branched)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (lambda: [cell("GRU", 5, activation="relu"), L.Dense(3)], "activation = 'relu'"),
        (lambda: [cell("LSTM", 5, recurrent_activation="hard_sigmoid"), L.Dense(3)],
         "recurrent_activation = 'hard_sigmoid'; expected 'sigmoid'"),
        (lambda: [cell("GRU", 5), L.Dense(3, activation="relu")], "activation 'relu'"),
        (lambda: [cell("GRU", 5), L.Dense(3), L.Dense(2)], "is a second dense layer"),
        (lambda: [L.Dense(3), cell("GRU", 5)], "comes before the recurrent layers"),
        (lambda: [L.Conv1D(3, 2), cell("GRU", 5), L.Dense(3)], "(Conv1D)"),
        (lambda: [cell("GRU", 5)], "1 recurrent layers and no dense layer"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused_by_name(layers, expected):
    with pytest.raises(ModelError) as caught:
        from_keras(model_of(layers()))
    assert expected in caught.value.message


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Bidirectional(cell("GRU", 5)),
        lambda: cell("LSTM", 5, go_backwards=True),
    ],
)
def test_backward_layers_are_refused_with_the_reason(layer):
    with pytest.raises(ModelError, match="only after the last input") as caught:
        from_keras(model_of([layer(), L.Dense(3)]))
    assert "use forward layers" in caught.value.hint
