"""The mixed interpreter: all on is the integer reference, all off the float reference."""

import itertools

import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.drift.mixed import MixedReference
from rnn_edge.drift.mixed_quantizers import quantizers
from rnn_edge.drift.mixed_variant import Grid, Variant, kernel_table, rounded_rows
from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import tanh
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference

STREAMS, STEPS = 3, 60
SHAPES = [
    Shape(("gru",), (6,), seed=1),
    Shape(("gru_reset_before",), (6,), seed=2),
    Shape(("lstm",), (6,), seed=3),
    Shape(("rnn",), (6,), seed=4),
    Shape(("gru", "lstm", "rnn"), (6, 4, 5), seed=5, head="softmax"),
    Shape(("lstm", "gru_reset_before"), (4, 6), seed=6, head="argmax", gain=4.0),
]


def pair(shape):
    exact = float_model(shape)
    return exact, quantized_model(exact, shape.cell_exponent)


def frames(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 2, (STEPS, STREAMS, shape.inputs)).astype(np.float32)


def names(model):
    return [each.name for each in quantizers(model)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_with_every_quantizer_on_it_is_the_integer_reference_bit_for_bit(shape):
    exact, model = pair(shape)
    mixed, reference = MixedReference(exact, model, None, STREAMS), IntegerReference(model, STREAMS)
    for x in frames(shape):
        y = mixed.step(x)
        wanted = reference.step(quantize_input(x, model.input_exponent))
        assert np.array_equal(y, wanted * 2.0**model.output_exponent)
        for name, exponent in model.state_exponents.items():
            assert np.array_equal(mixed.state[name], reference.state[name] * 2.0**exponent), name


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_with_every_quantizer_off_it_is_the_float_reference(shape):
    exact, model = pair(shape)
    mixed, reference = MixedReference(exact, model, (), STREAMS), FloatReference(exact, STREAMS)
    reference.state = {name: value.astype(np.float64) for name, value in reference.state.items()}
    for x in frames(shape):
        y = mixed.step(x)
        np.testing.assert_allclose(y, reference.step(x.astype(np.float64)), rtol=0, atol=1e-12)
        for name, wanted in reference.state.items():
            np.testing.assert_allclose(mixed.state[name], wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES[:4], ids=str)
def test_each_quantizer_alone_changes_something_and_all_have_names(shape):
    exact, model = pair(shape)
    x = frames(shape)

    def run(on):
        mixed = MixedReference(exact, model, on, STREAMS)
        return np.array([mixed.step(frame) for frame in x])

    base = run(())
    for name in names(model):
        error = np.abs(run((name,)) - base).max()
        assert 0.0 < error < 0.5, name


def test_quantizers_of_a_gru_and_an_lstm_are_named():
    _, gru = pair(SHAPES[0])
    weights = [f"weights l0.{m}.{g}" for m, g in itertools.product("xh", "rzn")]
    assert set(names(gru)) == {
        "input", *weights, "sums l0", "candidate l0", "table l0.r", "table l0.z",
        "table l0.n", "products l0", "state h0", "head weights", "head sums",
    }  # fmt: skip
    _, lstm = pair(SHAPES[2])
    weights = [f"weights l0.{m}.{g}" for m, g in itertools.product("xh", "ifgo")]
    tables = [f"table l0.{g}" for g in ("i", "f", "g", "o", "tanh_c")]
    assert set(names(lstm)) == {
        "input", *weights, "sums l0", "candidate l0", *tables, "state h0", "state c0",
        "head weights", "head sums",
    }  # fmt: skip
    _, before = pair(SHAPES[1])
    assert "weights l0.h.n" in names(before)


def test_weights_that_are_on_by_gate_are_that_gate_of_the_model_and_nothing_else():
    shape = Shape(("gru",), (6,), seed=1)
    exact, model = pair(shape)
    x = frames(shape)[0]
    on = MixedReference(exact, model, ("weights l0.x.z",), STREAMS)
    off = MixedReference(exact, model, (), STREAMS)
    on.step(x)
    off.step(x)
    matrix = model.layers[0].x
    real = matrix.weight * matrix.weight_scale.astype(np.float64)[:, None]
    bias = matrix.bias * matrix.weight_scale.astype(np.float64) * 2.0**-12
    wanted = x.astype(np.float64) @ real[6:12].T + bias[6:12]
    np.testing.assert_allclose(on.value("l0_x_z"), wanted, atol=1e-12)
    for tensor in ("l0_x_r", "l0_x_n", "l0_h_z"):
        assert np.array_equal(on.value(tensor), off.value(tensor))
    assert not np.array_equal(on.value("l0_x_z"), off.value("l0_x_z"))


def test_a_state_in_eight_bits_lies_on_its_grid_and_within_its_range():
    shape = Shape(("gru",), (6,), seed=1)
    exact, model = pair(shape)
    variant = Variant(grids={"state h0": Grid(8, 8)})
    mixed = MixedReference(exact, model, None, STREAMS, variant)
    for x in frames(shape):
        mixed.step(x)
        h = mixed.state["h0"] * 128
        assert np.array_equal(h, np.rint(h))
        assert h.min() >= -128
        assert h.max() <= 127


def test_a_grid_that_is_the_models_own_changes_no_bit():
    for shape in SHAPES[:4]:
        exact, model = pair(shape)
        own = {n: Grid(0, 16) for n in names(model) if n.split()[0] in ("state", "products")}
        changed = MixedReference(exact, model, None, STREAMS, Variant(grids=own))
        plain = MixedReference(exact, model, None, STREAMS)
        for x in frames(shape):
            # Two roundings of the kernels against one: no more than a unit of the last place.
            difference = changed.step(x) - plain.step(x)
            assert np.abs(difference).max() <= 2.0**-9


def test_pre_activations_at_a_finer_scale_round_less():
    for shape in SHAPES[:3]:
        exact, model = pair(shape)
        errors = []
        for grid in (Grid(3, 13), Grid(0, 16), Grid(-3, 19)):
            variant = Variant(grids={"sums l0": grid})
            mixed = MixedReference(exact, model, ("sums l0",), STREAMS, variant)
            base = MixedReference(exact, model, (), STREAMS)
            errors.append(np.mean([np.square(mixed.step(x) - base.step(x)) for x in frames(shape)]))
        # Eight times as coarse is 64 times the square.
        assert errors[0] > 20 * errors[1] > 400 * errors[2] > 0


def test_more_bits_of_weights_come_nearer_to_the_real_ones():
    weight = np.random.default_rng(0).normal(size=(5, 7))
    errors = [np.abs(rounded_rows(weight, bits) - weight).max() for bits in (8, 9, 10, 16)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-4
    with pytest.raises(ModelError, match="Bits of weights: 17"):
        rounded_rows(weight, 17)


def test_a_table_reads_real_inputs_between_two_integers():
    shape = Shape(("rnn",), (6,), seed=4)
    exact, model = pair(shape)
    mixed = MixedReference(exact, model, ("table l0.n",), STREAMS)
    off = MixedReference(exact, model, (), STREAMS)
    x = frames(shape)[0]
    mixed.step(x)
    off.step(x)
    at = off.value("l0_a_n") * 2.0**13
    values = np.arange(-32768, 32768).astype(np.int16)
    wanted = np.interp(at, values.astype(float), tanh(values, -13).astype(float))
    found = mixed.value("h0_out") * 2.0**15
    inside = np.abs(at) < 32767
    assert np.abs(found - wanted)[inside].max() <= 0.5 + 1e-9
    # Beyond the ends of the table: saturation is the business of the sums.
    assert (~inside).any()
    assert np.abs(found - np.tanh(off.value("l0_a_n")) * 2.0**15)[~inside].max() < 4.0


def test_another_table_takes_the_place_of_the_kernels():
    shape = Shape(("lstm",), (6,), seed=3)
    exact, model = pair(shape)
    table = np.minimum(kernel_table("logistic"), 16384)
    mixed = MixedReference(exact, model, None, STREAMS, Variant(tables={"table l0.f": table}))
    largest = {"l0_f": 0.0, "l0_i": 0.0}
    for x in frames(shape):
        mixed.step(x)
        largest = {name: max(was, mixed.value(name).max()) for name, was in largest.items()}
    assert largest["l0_f"] == 0.5
    assert largest["l0_i"] > 0.5


def test_unknown_quantizers_and_models_of_another_shape_are_refused():
    exact, model = pair(SHAPES[0])
    with pytest.raises(ModelError, match=r"'state c0' of sample; known are input, weights l0.x.r"):
        MixedReference(exact, model, ("state c0",))
    with pytest.raises(ModelError, match="Quantizer 'table'"):
        MixedReference(exact, model, (), variant=Variant(weight_bits={"table": 9}))
    with pytest.raises(ModelError, match="expected one shape"):
        MixedReference(exact, pair(SHAPES[1])[1])
    with pytest.raises(ModelError, match="Bits of a grid: 40"):
        Grid(0, 40)


def test_a_state_that_is_set_is_the_state():
    shape = SHAPES[4]
    exact, model = pair(shape)
    mixed = MixedReference(exact, model, None, 2)
    rng = np.random.default_rng(0)
    given = {n: rng.uniform(-0.9, 0.9, (2, size)) for n, size in model.state_sizes.items()}
    mixed.reset(given)
    for name, value in mixed.state.items():
        assert np.abs(value - given[name]).max() <= 2.0 ** (model.state_exponents[name] - 1)
    mixed.reset()
    assert all(not value.any() for value in mixed.state.values())
