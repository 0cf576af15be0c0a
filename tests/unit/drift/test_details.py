"""Details of single steps: local error, ends of the range, lost updates, distributions."""

import json

import numpy as np
import pytest
from random_models import Shape, float_model, quantize_matrix, quantized_model

from rnn_edge.drift.details import StepDetails, gate_tensors
from rnn_edge.errors import DataError, ModelError
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import (
    DenseWeights,
    FloatModel,
    QuantizedLayer,
    QuantizedModel,
    RecurrentWeights,
)

KINDS = ("gru", "gru_reset_before", "lstm", "rnn")


def pair(kind, seed=0, units=6, **more):
    exact = float_model(Shape((kind,), (units,), seed=seed, **more))
    return exact, quantized_model(exact, -10)


def closed_loop(exact, model, steps=80, seed=0, loud=1.0):
    """Frames and the states before each, float and integer."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, loud, (steps, exact.inputs)).astype(np.float32)
    runs = FloatReference(exact), IntegerReference(model)
    before = [{name: [] for name in model.state_sizes} for _ in runs]
    for frame in x:
        for kept, run in zip(before, runs, strict=True):
            for name, value in run.state.items():
                kept[name].append(value[0].copy())
        runs[0].step(frame[None])
        runs[1].step(quantize_input(frame[None], model.input_exponent))
    return x, *({name: np.array(rows) for name, rows in kept.items()} for kept in before)


def details(exact, model, **more):
    found = StepDetails(exact, model)
    found.update(*closed_loop(exact, model, **more))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_local_error_is_one_step_from_the_float_state(kind):
    exact, model = pair(kind)
    x, before, _ = closed_loop(exact, model)
    found = details(exact, model).result()
    errors = {name: [] for name in (*model.state_sizes, "y")}
    for t, frame in enumerate(x):
        one, other = FloatReference(exact), IntegerReference(model)
        one.state = {name: value[t : t + 1].astype(np.float64) for name, value in before.items()}
        rounded = {
            name: np.rint(before[name][t : t + 1] * 2.0**-e)
            for name, e in model.state_exponents.items()
        }
        other.reset(rounded)
        y = one.step(frame[None].astype(np.float64))
        qy = other.step(quantize_input(frame[None], model.input_exponent))
        errors["y"].append((qy * 2.0**model.output_exponent - y)[0])
        for name, e in model.state_exponents.items():
            errors[name].append((other.state[name] * 2.0**e - one.state[name])[0])
    for row in found.local:
        error = np.array(errors[row.tensor])
        assert row.rms == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-9)
        assert row.maximum == pytest.approx(np.abs(error).max(), rel=1e-9)
        assert row.unit_rms == pytest.approx(np.sqrt(np.mean(error**2, axis=0)), rel=1e-9)
        assert row.worst[0].unit == int(np.argmax(row.unit_rms))
        assert found.local_rms(row.tensor) == row.rms > 0


@pytest.mark.parametrize("kind", KINDS)
def test_details_of_parts_are_those_of_the_whole(kind):
    exact, model = pair(kind)
    x, real, integer = closed_loop(exact, model)
    parts = [StepDetails(exact, model) for _ in range(2)]
    for part, cut in zip(parts, (slice(0, 50), slice(50, None)), strict=True):
        part.update(x[cut], *({n: v[cut] for n, v in s.items()} for s in (real, integer)))
    parts[0].merge(parts[1])
    whole = details(exact, model)
    one, other = parts[0].result(), whole.result()
    assert (one.steps, one.saturation, one.dead, one.distributions) == (
        *(other.steps, other.saturation, other.dead, other.distributions),
    )
    for a, b in zip(one.local, other.local, strict=True):
        assert a.unit_rms == pytest.approx(b.unit_rms, rel=1e-12)
    assert json.loads(json.dumps(whole.to_json(), allow_nan=False))["steps"] == 80


def slow_unit(z_bias, target):
    """A GRU of one unit without recurrent weights that goes to a target in its own time."""
    w = np.zeros((3, 1))
    b = np.array([0.0, z_bias, np.arctanh(target)])
    layer = RecurrentWeights("gru", w, np.zeros((3, 1)), b, np.zeros(3))
    head = DenseWeights(np.ones((1, 1)), np.zeros(1))
    exact = FloatModel("slow", "kws", (layer,), head, ("y",))
    return exact, QuantizedModel(
        "slow",
        "kws",
        (
            QuantizedLayer(
                "gru",
                quantize_matrix(layer.w_x, layer.b_x, -12, -11),
                quantize_matrix(layer.w_h, layer.b_h, -15, -11),
                None,
            ),
        ),
        quantize_matrix(head.w, head.b, -15, -11),
        ("y",),
    )


def test_an_update_below_half_a_unit_is_lost_and_counted():
    exact, model = slow_unit(8.0, 0.5)
    z = 1 / (1 + np.exp(-8.0))
    # Nearer to the target than this, in units of 2^-14, the product z (h - n) is h - n again.
    dead_zone = 0.5 / (1 - z)
    distances = np.rint(np.array([0.6, 0.8, 1.3, 2.0]) * dead_zone)
    reference = IntegerReference(model)
    reference.step(np.zeros((1, 1), np.int16))
    h = reference.values["l0_n"][0, 0] - 2 * distances[:, None]
    found = StepDetails(exact, model)
    found.update(np.zeros((4, 1)), {"h0": h * 2.0**-15}, {"h0": h.astype(np.int16)})
    (dead,) = found.result().dead
    # The first two stay; their real updates are 0.6 and 0.8 units of the state.
    assert dead.share == 0.5
    assert dead.share_half == 0.5
    assert dead.never_moved == ()
    assert dead.worst[0].unit == 0


def test_a_unit_that_never_moves_is_named():
    exact, model = slow_unit(9.0, 1e-4)
    dead = details(exact, model).result().dead[0]
    assert dead.never_moved == (0,)
    assert dead.share > 0.9
    fast, model = slow_unit(-1.0, 0.5)
    dead = details(fast, model).result().dead[0]
    assert dead.never_moved == ()


def test_saturation_is_counted_by_tensor_and_unit_and_harmless_ends_come_last():
    exact, model = pair("lstm", seed=3)
    narrow = QuantizedModel(
        model.name,
        model.task,
        (QuantizedLayer("lstm", model.layers[0].x, model.layers[0].h, -15),),
        model.head,
        model.labels,
    )
    found = details(exact, narrow, loud=3.0)
    rows = {row.tensor: row for row in found.result().saturation}
    x, _, integer = closed_loop(exact, narrow, loud=3.0)
    reference = IntegerReference(narrow, len(x))
    reference.reset(integer)
    reference.step(quantize_input(x, -12))
    for name, value in reference.values.items():
        at_end = int(np.isin(value, (-32768, 32767)).sum())
        assert at_end == (rows[name].at_end if name in rows else 0), name
    assert rows["c0_out"].share > 0.05
    assert not rows["c0_out"].is_harmless
    assert rows["c0_out"].worst
    order = [row.is_harmless for row in found.result().saturation]
    assert order == sorted(order)
    wide = details(exact, model, loud=3.0).result().saturation
    assert "c0_out" not in {row.tensor for row in wide}


def test_a_gate_at_its_end_is_harmless():
    exact, model = slow_unit(14.0, 0.5)
    rows = {row.tensor: row for row in details(exact, model).result().saturation}
    assert rows["l0_z"].is_harmless
    assert rows["l0_z"].share == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_distributions_hold_every_value_of_states_and_gates(kind):
    exact, model = pair(kind)
    found = details(exact, model).result()
    gates = {"gru": "rzn", "gru_reset_before": "rzn", "lstm": "ifgo", "rnn": ""}[kind]
    assert {d.name for d in found.distributions} == {
        *model.state_sizes, *(f"l0.{gate}" for gate in gates),
    }  # fmt: skip
    for each in found.distributions:
        assert sum(each.real) == sum(each.integer) == 80 * 6
        # Two runs of the same model fill nearly the same bins.
        assert np.abs(np.subtract(each.real, each.integer)).sum() < 80
    assert set(gate_tensors(model)) == {f"l0.{gate}" for gate in gates}


def test_states_that_do_not_fit_and_other_models_are_refused():
    exact, model = pair("gru")
    found = StepDetails(exact, model)
    state = {"h0": np.zeros((2, 6))}
    with pytest.raises(DataError, match=r"h0 of shape \(2, 6\); expected \(3, 6\)"):
        found.update(np.zeros((3, 5)), state, state)
    with pytest.raises(DataError, match="h0 of shape None"):
        found.update(np.zeros((2, 5)), state, {})
    with pytest.raises(DataError, match="no step"):
        found.result()
    with pytest.raises(DataError, match="two models"):
        found.merge(StepDetails(*pair("gru", seed=1)))
    with pytest.raises(ModelError, match="one shape"):
        StepDetails(exact, pair("lstm")[1])
