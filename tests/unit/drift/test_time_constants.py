"""Time constants of gated units, their dead zones, and who is warned of."""

import json
import math

import numpy as np
import pytest
from random_models import Shape, float_model, quantize_matrix, quantized_model

from rnn_edge.drift.attribution_lanes import cut_lanes
from rnn_edge.drift.time_constants import time_constants
from rnn_edge.reference import IntegerReference
from rnn_edge.types import (
    GATES,
    DenseWeights,
    FloatModel,
    QuantizedLayer,
    QuantizedModel,
    RecurrentWeights,
)

RETAINS = {"gru": "z", "gru_reset_before": "z", "lstm": "f"}


def noise(steps=4000, inputs=3, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (steps, inputs)).astype(np.float32)


def gated(kind, biases, drive):
    """Units whose retaining gate is constant, each driven by the input as much as is said."""
    gates, units = GATES[kind], len(biases)
    rng = np.random.default_rng(1)
    w_x = rng.normal(0, 0.3, (len(gates), units, 3)) * np.asarray(drive)[None, :, None]
    bias = np.zeros((len(gates), units))
    w_x[gates.index(RETAINS[kind])] = 0.0
    bias[gates.index(RETAINS[kind])] = biases
    rows = len(gates) * units
    w_h = np.zeros((rows, units))
    layer = RecurrentWeights(kind, w_x.reshape(rows, 3), w_h, bias.reshape(rows), np.zeros(rows))
    head = DenseWeights(np.ones((1, units)), np.zeros(1))
    exact = FloatModel("gated", "kws", (layer,), head, ("y",))
    made = QuantizedLayer(
        kind,
        quantize_matrix(layer.w_x, layer.b_x, -12, -11),
        quantize_matrix(layer.w_h, layer.b_h, -15, -11),
        -10 if kind == "lstm" else None,
    )
    return exact, QuantizedModel(
        "gated", "kws", (made,), quantize_matrix(head.w, head.b, -15, -11), ("y",)
    )


@pytest.mark.parametrize("kind", RETAINS)
def test_a_constant_gate_has_the_time_constant_of_its_logarithm(kind):
    exact, model = gated(kind, [0.0, 3.0, 6.0], [1.0, 1.0, 1.0])
    found = time_constants(exact, model, cut_lanes(noise(), 8, 100, 300))
    (layer,) = found.layers
    unit = 2.0**-10 if kind == "lstm" else 2.0**-14
    for u, bias in enumerate((0.0, 3.0, 6.0)):
        gate = 1 / (1 + math.exp(-bias))
        assert layer.tau[u] == pytest.approx(-1 / math.log(gate), rel=1e-6)
        assert layer.retention[u] == pytest.approx(gate, rel=1e-6)
        assert layer.dead_zone[u] == pytest.approx(unit / (2 * (1 - gate)), rel=1e-6)
    assert (layer.gate, layer.unit) == (RETAINS[kind], unit)
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize(("kind", "drive"), [("gru", 1.0), ("lstm", 0.1)])
def test_an_integrator_is_named_and_ordinary_units_are_not(kind, drive):
    exact, model = gated(kind, [1.0, 6.0, -1.0, 2.0], [1.0, drive, 1.0, 1.0])
    found = time_constants(exact, model, cut_lanes(noise(8000), 8, 500, 500))
    (warned,) = found.warnings
    assert (warned.state, warned.unit) == ("c0" if kind == "lstm" else "h0", 1)
    assert warned.tau == pytest.approx(404, rel=0.01)
    assert warned.dead_zone > 0.1 * warned.deviation
    assert "remembers over 403.9 steps" in warned.reason


@pytest.mark.parametrize("kind", RETAINS)
def test_random_models_are_not_warned_of(kind):
    exact = float_model(Shape((kind,), (12,), inputs=3, seed=5))
    model = quantized_model(exact, -10)
    assert not time_constants(exact, model, cut_lanes(noise(), 8, 100, 200)).warnings


@pytest.mark.parametrize("kind", RETAINS)
def test_the_dead_zone_is_where_the_integer_state_stops(kind):
    """Without input a unit creeps towards its target and stays at the edge of the zone."""
    exact, model = gated(kind, [6.0], [0.0])
    state = "c0" if kind == "lstm" else "h0"
    lanes = cut_lanes(noise(), 2, 10, 10)
    (layer,) = time_constants(exact, model, lanes).layers
    reference = IntegerReference(model, 1)
    reference.reset({state: np.full((1, 1), 1200, np.int16)})
    for _ in range(1500):
        reference.step(np.zeros((1, 3), np.int16))
    before = reference.state[state].copy()
    reference.step(np.zeros((1, 3), np.int16))
    left = abs(int(reference.state[state][0, 0])) * 2.0 ** model.state_exponents[state]
    assert np.array_equal(before, reference.state[state])
    # The target is 0; the table's own error moves the gate, and with it the edge, by a few percent.
    assert left == pytest.approx(layer.dead_zone[0], rel=0.1)


def test_a_gate_beyond_its_table_is_named():
    exact, model = gated("lstm", [12.0], [1.0])
    (warned,) = time_constants(exact, model, cut_lanes(noise(), 8, 100, 300)).warnings
    assert "the table of gate f ends at 1 - 2^-15, which forgets in 32,768" in warned.reason
    always, model = gated("lstm", [60.0], [1.0])
    (warned,) = time_constants(always, model, cut_lanes(noise(), 8, 100, 300)).warnings
    assert warned.tau is None
    assert "remembers without end" in warned.reason


def test_a_unit_that_does_not_move_has_nothing_to_remember():
    exact, model = gated("gru", [6.0], [0.0])
    assert not time_constants(exact, model, cut_lanes(noise(), 4, 100, 100)).warnings


def test_a_plain_recurrent_layer_has_no_time_constant_of_a_unit():
    exact = float_model(Shape(("rnn", "gru"), (6, 4), inputs=3))
    found = time_constants(exact, quantized_model(exact, -10), cut_lanes(noise(), 4, 100, 100))
    assert found.ungated == (0,)
    assert [layer.state for layer in found.layers] == ["h1"]
