"""Local layers in training: shared weights stay shared, and what lies between stays zero."""

from dataclasses import replace

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from rnn_edge.errors import ModelError, SpecError  # noqa: E402
from rnn_edge.exporters.c_matrices import kept_of, locals_of  # noqa: E402
from rnn_edge.quantize import calibrate, quantize_model  # noqa: E402
from rnn_edge.reference import FloatReference  # noqa: E402
from rnn_edge.spec import load_spec  # noqa: E402
from rnn_edge.train.network import Network  # noqa: E402
from rnn_edge.train.qat import QatConfig, finetune_quantized  # noqa: E402
from rnn_edge.train.sequences import SequenceSet, TrainingSet  # noqa: E402
from rnn_edge.train.student import StudentConfig, train_student  # noqa: E402
from rnn_edge.train.ties import Ties  # noqa: E402
from rnn_edge.types.local import NOWHERE, LocalLayer  # noqa: E402

LOCAL = LocalLayer("gru", units=3, width=4, step=2)
INPUTS = 10


def is_tied(arrays, local, inputs):
    """Whether copies of a weight are equal to the bit, and places of none are zeros."""
    for array, place in zip(arrays, local.places(inputs), strict=True):
        assert not array[place == NOWHERE].any()
        for shared in range(place.max() + 1):
            if len(np.unique(array[place == shared])) != 1:
                return False
    return True


@pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
def test_a_layer_is_its_stretch_along_the_inputs(kind):
    local = replace(LOCAL, kind=kind)
    network = Network.fresh((kind,), INPUTS, 5, 2, 1, (local,))
    layer = network.model("m", "kws", ("a", "b")).layers[0]
    assert (layer.inputs, layer.hidden) == (INPUTS, 4 * 3)
    assert is_tied((layer.w_x, layer.w_h, layer.b_x, layer.b_h), local, INPUTS)
    # A sound that moves by a step of the stretches is heard by the next one.
    model = network.model("m", "kws", ("a", "b"))
    x = np.zeros((1, 6, INPUTS), np.float32)
    x[:, :, 2:6] = np.random.default_rng(0).normal(size=(1, 6, 4))
    moved = np.roll(x, 2, axis=2)
    here, there = (FloatReference(model).run(each).states["h0"][0] for each in (x, moved))
    np.testing.assert_allclose(here[:, 3:9], there[:, 6:12], atol=1e-6)
    assert np.ptp(here) > 0.1


@pytest.mark.parametrize("kind", ["gru", "gru_reset_before", "lstm", "rnn"])
@pytest.mark.parametrize("is_masked", [False, True])
def test_a_network_is_the_model_of_its_whole_matrices(kind, is_masked):
    local = replace(LOCAL, kind=kind), LocalLayer(kind, 2, 6, 3)
    network = Network.fresh((kind,), INPUTS, 5, 2, 1, local)
    model = network.model("m", "kws", ("a", "b"))
    x = np.random.default_rng(0).normal(size=(2, 7, INPUTS)).astype(np.float32)
    wanted = FloatReference(model, 2).run(x).states
    lengths = [7, 4] if is_masked else [7, 7]
    mask = np.float32(np.arange(7)[:, None, None] < np.array(lengths)[:, None])
    hidden, after = network.run(
        x.transpose(1, 0, 2), network.zero_state(2), mask if is_masked else None
    )
    assert len(after) == len(wanted)
    for name, state in zip(wanted, after, strict=True):
        for lane, length in enumerate(lengths):
            np.testing.assert_allclose(state[lane], wanted[name][lane, length - 1], atol=2e-6)
    np.testing.assert_allclose(hidden[3, 0], wanted["h2"][0, 3], atol=2e-6)
    # So is the float model of a network that goes on from it.
    again, _ = Network.of_model(model, local).run(x.transpose(1, 0, 2), network.zero_state(2), None)
    np.testing.assert_allclose(again[:4], hidden[:4], atol=1e-6)


def test_gradients_are_means_of_copies():
    ties, places = Ties(LOCAL, INPUTS), LOCAL.places(INPUTS)
    generator = np.random.default_rng(1)
    own = [generator.normal(size=place.shape).astype(np.float32) for place in places]
    found = [each.numpy() for each in ties.gradients([tf.constant(each) for each in own])]
    assert is_tied(found, LOCAL, INPUTS)
    for gradient, mean, place in zip(own, found, places, strict=True):
        at = place == place.max() // 2
        assert at.sum() == 4
        np.testing.assert_allclose(mean[at], gradient[at].mean(), rtol=1e-5)


def test_stretches_that_do_not_end_with_the_last_input_are_refused():
    for width, step in ((4, 4), (11, 1)):
        with pytest.raises(ModelError, match=f"stretches of {width} inputs, {step} apart"):
            replace(LOCAL, width=width, step=step).stretches(INPUTS)
    assert replace(LOCAL, width=10, step=7).stretches(INPUTS) == 1


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(96, 8, INPUTS)).astype(np.float32)
    part = SequenceSet(x, np.full(96, 8), (x[:, -2, 0] > 0).astype(np.int64))
    return TrainingSet("kws", part, part, ("low", "high"))


@pytest.mark.slow
def test_weights_are_shared_from_the_student_down_to_the_c(data):
    config = StudentConfig(
        hidden=16, local=(replace(LOCAL, units=4),), steps=30, lanes=16, evaluate_every=10,
        learning_rate=2e-2, density=0.4,
    )  # fmt: skip
    student = train_student(config, data, None, 3).model
    fresh = train_student(replace(config, steps=1), data, None, 3).model
    assert np.abs(student.layers[0].w_x - fresh.layers[0].w_x).max() > 0.01
    tuned = finetune_quantized(
        QatConfig(steps=20, lanes=16, evaluate_every=10),
        student, data, None, -12, [None, None], 1, local=config.local,
    ).model  # fmt: skip
    assert np.abs(student.layers[0].w_x - tuned.layers[0].w_x).max() > 0.0
    streams = data.train.x.reshape(4, -1, INPUTS)
    for model in (student, tuned):
        layer = model.layers[0]
        assert is_tied((layer.w_x, layer.w_h, layer.b_x, layer.b_h), config.local[0], INPUTS)
        codes = quantize_model(model, calibrate(model, streams))
        form, other = locals_of(codes)
        assert (form.stretches, form.one.hidden, other) == (4, 4, None)
        # The layer behind it is pruned.
        assert kept_of(codes)["layer1.h"] is not None


def test_a_second_layer_hears_stretches_of_the_first():
    spec = load_spec("demo", SECOND)
    first, second = spec.model.locals
    assert first == LocalLayer("gru", 3, 8, 4)
    assert second == LocalLayer("gru", 5, width=9, step=3)
    assert spec.model.all_cells == ("gru", "gru", "gru")
    network = Network.fresh(("gru",), 40, 6, 2, 1, spec.model.locals)
    layers = network.model("m", "kws", ("a", "b")).layers
    assert [(layer.inputs, layer.hidden) for layer in layers] == [(40, 27), (27, 35), (35, 6)]
    for layer, local in zip(layers, spec.model.locals, strict=False):
        arrays = layer.w_x, layer.w_h, layer.b_x, layer.b_h
        assert is_tied(arrays, local, layer.inputs)


SECOND = [
    "features.bands=40", "model.local_units=[3, 5]", "model.local_width=[8, 3]",
    "model.local_step=[4, 1]",
]  # fmt: skip


def test_local_layers_that_cannot_be_are_refused():
    assert load_spec("demo").model.locals == ()

    def local(units, width, step):
        return [
            "features.bands=40", f"model.local_units={units}", f"model.local_width={width}",
            f"model.local_step={step}",
        ]  # fmt: skip

    for overrides, reason in (
        (local([4], [7], [4]), "7, model.local_step 4 for 40 bands; expected a width below 40"),
        (local([4], [40], [4]), "40, model.local_step 4 for 40 bands"),
        (local([4], [4], [12]), "4, model.local_step 12 for 40 bands; .* at most the width"),
        (local([4], [64], [4]), "64, model.local_step 4 for 40 bands"),
        (local([4, 4], [8, 3], [4, 4]), "3, model.local_step 4 for 9 stretches; expected a width"),
        (local([64], [1], [1]), "64 for 40 stretches, 2560 together; expected at most 512"),
        (local([4], [8, 3], [4]), "expected one of each for every local layer"),
        (local([0], [8], [4]), "model.local_units"),
        ([*SECOND, "model.cell=lstm"], "local_units = .3, 5. with cell = .lstm."),
        ([*SECOND, "quantize.rounding=compensated"], "compensated. with model.local_units"),
    ):
        with pytest.raises(SpecError, match=reason.replace("[", ".")):
            load_spec("demo", overrides)
    with pytest.raises(SpecError, match=r"local_units = .4. with task = .anomaly."):
        load_spec("demo_anomaly", ["model.local_units=[4]"])
