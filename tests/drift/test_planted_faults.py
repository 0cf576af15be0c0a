"""Faults that are known, and whether the measures find them and name the right one."""

from dataclasses import replace

import numpy as np
import pytest
from random_models import Shape, float_model, quantize_matrix, quantized_model

from rnn_edge.drift.attribution import attribute
from rnn_edge.drift.attribution_lanes import LaneRuns, cut_lanes
from rnn_edge.drift.attribution_suspicion import suspect
from rnn_edge.drift.details import StepDetails
from rnn_edge.drift.mixed_variant import Grid, Variant, kernel_table
from rnn_edge.drift.stability import predict_drift
from rnn_edge.drift.time_constants import time_constants
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.types import GATES, DenseWeights, FloatModel, RecurrentWeights

UNITS, INPUTS, CELL = 8, 5, -10
FRAMES = np.random.default_rng(7).normal(0, 1, (3000, INPUTS)).astype(np.float32)


def exact_model(kind, seed=11):
    return float_model(Shape((kind,), (UNITS,), INPUTS, seed=seed))


def lanes():
    return cut_lanes(FRAMES, 6, 25, 35)


def with_layer(model, **changes):
    return replace(model, layers=(replace(model.layers[0], **changes),))


def scaled_rows(matrix, rows, factor):
    scale = matrix.weight_scale.copy()
    scale[rows] *= factor
    return replace(matrix, weight_scale=scale)


def rows_of(kind, gate):
    first = GATES[kind].index(gate) * UNITS
    return slice(first, first + UNITS)


def on_int8_grid(exact):
    """The float model that says what int8 weights say, so that activations are all that rounds."""
    model = quantized_model(exact, CELL)

    def real(matrix):
        scale = matrix.weight_scale.astype(np.float64)
        return matrix.weight * scale[:, None], matrix.bias * scale * 2.0**matrix.input_exponent

    (layer,) = model.layers
    (w_x, b_x), (w_h, b_h) = real(layer.x), real(layer.h)
    made = RecurrentWeights(layer.kind, w_x, w_h, b_x, b_h)
    return replace(exact, layers=(made,), head=DenseWeights(*real(model.head)))


def closed_loop(exact, model, engine, steps=1200):
    """Hidden RMS drift of an engine that is given frame by frame."""
    reference, squares = FloatReference(exact), []
    for x in FRAMES[:steps]:
        reference.step(x[None])
        engine.step(quantize_input(x[None], model.input_exponent))
        squares.append(np.square(engine.state["h0"] * 2.0**-15 - reference.state["h0"]).mean())
    return float(np.sqrt(np.mean(squares)))


def details(exact, model, steps=300):
    runs, found = (FloatReference(exact), IntegerReference(model)), StepDetails(exact, model)
    for x in FRAMES[:steps]:
        found.update(x[None], *(dict(run.state) for run in runs))
        runs[0].step(x[None])
        runs[1].step(quantize_input(x[None], model.input_exponent))
    return found.result()


@pytest.mark.parametrize("kind", GATES)
def test_a_model_without_a_fault_is_not_accused(kind):
    exact = exact_model(kind)
    model = quantized_model(exact, CELL)
    assert suspect(exact, model) == ()
    prediction = predict_drift(exact, model, lanes())
    measured = closed_loop(exact, model, IntegerReference(model))
    assert prediction.unexplained(measured) == pytest.approx(1.0, abs=0.3)
    assert time_constants(exact, model, lanes()).warnings == ()
    seen = details(exact, model)
    assert all(row.share_half < 0.01 and not row.never_moved for row in seen.dead)
    assert not {"c0_in", "c0_out", "h0_out", "y"} & {
        r.tensor for r in seen.saturation if r.share > 0
    }


@pytest.mark.parametrize(("kind", "matrix", "gate"), [("gru", "h", "z"), ("lstm", "x", "o")])
def test_a_row_scale_that_is_doubled(kind, matrix, gate):
    exact = exact_model(kind)
    model = quantized_model(exact, CELL)
    whole = getattr(model.layers[0], matrix)
    faulty = with_layer(model, **{matrix: scaled_rows(whole, rows_of(kind, gate), 2.0)})
    name = f"weights l0.{matrix}.{gate}"
    (suspicion,) = suspect(exact, faulty)
    assert suspicion.quantizer == name
    assert f"of {UNITS} such rows of {UNITS}" in suspicion.reason
    found = attribute(exact, faulty, lanes())
    assert found.dominant == name
    assert found.rows[0].share > 0.9
    assert found.rows[0].saved > 0.5
    healthy, ill = details(exact, model), details(exact, faulty)
    assert ill.local_rms("h0") > 5 * healthy.local_rms("h0")


def test_a_row_scale_of_the_head_that_is_doubled():
    exact = exact_model("gru")
    model = quantized_model(exact, CELL)
    faulty = replace(model, head=scaled_rows(model.head, slice(0, 1), 2.0))
    (suspicion,) = suspect(exact, faulty)
    assert suspicion.quantizer == "head weights"
    runs = LaneRuns(exact, faulty, lanes())
    assert runs.drift(("head weights",)).y > 0.9 * runs.drift(None).y
    assert runs.drift(("head weights",)).hidden == 0.0


def test_a_row_scale_of_one_bit_less():
    exact = exact_model("gru")
    model = quantized_model(exact, CELL)
    whole, rows = model.layers[0].h, rows_of("gru", "z")
    coarse = scaled_rows(whole, rows, 2.0)
    weight, bias = whole.weight.copy(), whole.bias.copy()
    scale = coarse.weight_scale[rows].astype(np.float64)
    weight[rows] = np.rint(exact.layers[0].w_h[rows] / scale[:, None])
    bias[rows] = np.rint(exact.layers[0].b_h[rows] / (scale * 2.0**-15))
    faulty = with_layer(model, h=replace(coarse, weight=weight, bias=bias))
    (suspicion,) = suspect(exact, faulty)
    assert suspicion.quantizer == "weights l0.h.z"
    assert "scales are up to 2 times what the weights need" in suspicion.reason
    before, after = (
        LaneRuns(exact, each, lanes()).drift(("weights l0.h.z",)).hidden for each in (model, faulty)
    )
    assert after > 1.4 * before


def test_a_cell_exponent_that_is_off_by_one():
    exact = on_int8_grid(exact_model("lstm"))
    right, coarse = quantized_model(exact, CELL), quantized_model(exact, CELL + 1)
    # Weights are exact here: the cell is what there is to blame in both, twice as much in one.
    before, after = (attribute(exact, each, lanes()) for each in (right, coarse))
    assert after.dominant == "state c0"
    assert after.row("state c0").alone == pytest.approx(2 * before.row("state c0").alone, rel=0.2)
    assert after.row("state c0").share > before.row("state c0").share
    assert after.hidden > 1.5 * before.hidden


def test_a_cell_exponent_that_does_not_hold_the_cell():
    exact = on_int8_grid(exact_model("lstm"))
    largest = LaneRuns(exact, quantized_model(exact, CELL), lanes()).largest("c0")
    model = quantized_model(exact, int(np.floor(np.log2(largest / 32767))))
    found = attribute(exact, model, lanes())
    assert found.dominant == "state c0"
    assert found.row("state c0").saved > 0.5
    ends = {row.tensor: row for row in details(exact, model).saturation}
    assert not ends["c0_out"].is_harmless
    held = {row.tensor for row in details(exact, quantized_model(exact, CELL)).saturation}
    assert "c0_out" not in held


@pytest.mark.parametrize("kind", GATES)
def test_a_state_that_is_carried_in_eight_bits(kind):
    exact = on_int8_grid(exact_model(kind))
    model = quantized_model(exact, CELL)
    int8 = Variant(grids={"state h0": Grid(8, 8)})
    found = attribute(exact, model, lanes(), int8)
    assert found.dominant == "state h0"
    assert found.row("state h0").saved > 0.8
    (suspicion,) = suspect(exact, model, int8)
    assert (suspicion.quantizer, "8 bits" in suspicion.reason) == ("state h0", True)
    assert found.hidden > 5 * attribute(exact, model, lanes()).hidden
    assert predict_drift(exact, model, lanes()).unexplained(found.hidden) > 5


@pytest.mark.parametrize("kind", ["gru", "gru_reset_before"])
def test_gates_that_are_exchanged(kind):
    exact = exact_model(kind)
    model = quantized_model(exact, CELL)
    order = np.arange(3 * UNITS)
    order[rows_of(kind, "r")], order[rows_of(kind, "z")] = (
        np.arange(UNITS, 2 * UNITS),
        np.arange(UNITS),
    )

    def exchanged(matrix):
        return replace(
            matrix,
            weight=matrix.weight[order],
            weight_scale=matrix.weight_scale[order],
            bias=matrix.bias[order],
        )

    (layer,) = model.layers
    faulty = with_layer(model, x=exchanged(layer.x), h=exchanged(layer.h))
    found = suspect(exact, faulty)
    culprits = {f"weights l0.{matrix}.{gate}" for matrix in "xh" for gate in "rz"}
    assert {each.quantizer for each in found} == culprits
    for each in found:
        other = "z" if each.quantizer.endswith("r") else "r"
        assert each.reason.endswith(f"they are those of gate {other}")
    ranked = attribute(exact, faulty, lanes())
    assert {row.name for row in ranked.rows[:4]} == culprits
    assert sum(row.share for row in ranked.rows[:4]) > 0.99


class LosesItsState(IntegerReference):
    """Starts from zero at every so many calls."""

    def __init__(self, model, every):
        super().__init__(model)
        self._calls, self._every = 0, every

    def step(self, x):
        if self._calls % self._every == 0:
            self.reset()
        self._calls += 1
        return super().step(x)


@pytest.mark.parametrize("kind", GATES)
def test_a_state_that_is_lost_between_calls_is_not_explained_by_rounding(kind):
    exact = exact_model(kind)
    model = quantized_model(exact, CELL)
    prediction = predict_drift(exact, model, lanes())
    lost = closed_loop(exact, model, LosesItsState(model, 20))
    assert prediction.unexplained(lost) > 3
    # The model itself is as it should be: no quantizer is to blame.
    assert suspect(exact, model) == ()
    assert attribute(exact, model, lanes()).hidden < lost / 3


@pytest.mark.parametrize(("kind", "gate"), [("gru", "z"), ("lstm", "f"), ("lstm", "o")])
def test_a_table_that_is_cut_off(kind, gate):
    exact = exact_model(kind)
    model = quantized_model(exact, CELL)
    cut = np.minimum(kernel_table("logistic"), int(0.6 * 32768)).astype(np.int16)
    fault = Variant(tables={f"table l0.{gate}": cut})
    found = attribute(exact, model, lanes(), fault)
    assert found.dominant == f"table l0.{gate}"
    assert found.rows[0].saved > 0.5
    (suspicion,) = suspect(exact, model, fault)
    assert suspicion.quantizer == f"table l0.{gate}"
    assert "units of the last place from logistic" in suspicion.reason
    whole = Variant(tables={f"table l0.{gate}": kernel_table("logistic")})
    assert suspect(exact, model, whole) == ()


def test_a_unit_that_integrates():
    """An LSTM unit with a forget bias of 6 and an input of its own that is small."""
    exact = exact_model("lstm")
    layer, unit = exact.layers[0], 3
    w_x, w_h = layer.w_x.copy(), layer.w_h.copy()
    b_x, b_h = layer.b_x.copy(), layer.b_h.copy()
    for gate in range(4):
        row = gate * UNITS + unit
        w_x[row] *= 0.05
        w_h[row] *= 0.0
        b_x[row], b_h[row] = (6.0 if gate == 1 else 0.0), 0.0
    changed = RecurrentWeights("lstm", w_x, w_h, b_x, b_h)
    slow = FloatModel(exact.name, exact.task, (changed,), exact.head, exact.labels)
    model = quantized_model(slow, CELL)
    warned = time_constants(slow, model, cut_lanes(FRAMES, 6, 200, 300)).warnings
    assert [(each.state, each.unit) for each in warned] == [("c0", unit)]
    assert warned[0].tau == pytest.approx(404, rel=0.1)
    (dead,) = (row for row in details(slow, model).dead if row.state == "c0")
    assert dead.worst[0].unit == unit
    assert quantize_matrix(w_h, b_h, -15, -11).rows == 4 * UNITS
