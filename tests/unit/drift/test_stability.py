"""Lyapunov exponents of systems that are known, and the drift that local errors predict."""

import json
import math

import numpy as np
import pytest
from random_models import Shape, float_model, quantize_matrix, quantized_model

from rnn_edge.drift.attribution_lanes import cut_lanes
from rnn_edge.drift.stability import lyapunov_exponent, predict_drift
from rnn_edge.errors import DataError
from rnn_edge.statistics import independent_mean
from rnn_edge.types import (
    GATES,
    DenseWeights,
    FloatModel,
    QuantizedLayer,
    QuantizedModel,
    RecurrentWeights,
)


def noise(steps=900, inputs=3, seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, size, (steps, inputs)).astype(np.float32)


def model_of(kind, w_x, w_h, bias):
    layer = RecurrentWeights(kind, w_x, w_h, bias, np.zeros(len(bias)))
    head = DenseWeights(np.ones((1, layer.hidden)), np.zeros(1))
    return FloatModel("known", "kws", (layer,), head, ("y",))


def without_recurrence(kind, gate, biases):
    """Units that see the input in every gate but one, which is constant."""
    gates, units = GATES[kind], len(biases)
    rng = np.random.default_rng(1)
    w_x = rng.normal(0, 0.5, (len(gates), units, 3))
    bias = np.zeros((len(gates), units))
    w_x[gates.index(gate)] = 0.0
    bias[gates.index(gate)] = biases
    rows = len(gates) * units
    return model_of(kind, w_x.reshape(rows, 3), np.zeros((rows, units)), bias.reshape(rows))


def quantized(model, cell_exponent=-10):
    (layer,) = model.layers
    cell = cell_exponent if layer.kind == "lstm" else None
    made = QuantizedLayer(
        layer.kind,
        quantize_matrix(layer.w_x, layer.b_x, -12, -11),
        quantize_matrix(layer.w_h, layer.b_h, -15, -11),
        cell,
    )
    head = quantize_matrix(model.head.w, model.head.b, -15, -11)
    return QuantizedModel(model.name, model.task, (made,), head, model.labels)


def lanes(frames, count=4, transient=100, steps=100):
    return cut_lanes(frames, count, transient, steps)


@pytest.mark.parametrize(("kind", "gate"), [("gru", "z"), ("gru_reset_before", "z"), ("lstm", "f")])
def test_without_recurrent_weights_the_exponent_is_that_of_the_slowest_gate(kind, gate):
    model = without_recurrence(kind, gate, [1.0, 3.0, -1.0])
    found = lyapunov_exponent(model, lanes(noise()))
    wanted = math.log(1 / (1 + math.exp(-3.0)))
    # The length of an LSTM's vector also has h in it, o times the cell's part: the two ends of
    # the measured stretch leave a part in its length.
    within = 1e-3 if kind == "lstm" else 1e-6
    assert found.exponent == pytest.approx(wanted, abs=within)
    assert found.rate == pytest.approx(math.exp(wanted), abs=within)
    assert found.half_life == pytest.approx(math.log(0.5) / wanted, rel=20 * within)
    assert found.low <= found.exponent <= found.high < 0
    assert found.is_contracting


def test_a_model_without_memory_forgets_at_once():
    model = model_of("rnn", np.ones((2, 3)), np.zeros((2, 2)), np.zeros(2))
    found = lyapunov_exponent(model, lanes(noise()))
    assert (found.exponent, found.rate, found.is_contracting) == (None, 0.0, True)
    json.dumps(found.to_json(), allow_nan=False)


def test_a_step_that_leaves_nothing_now_and_then_still_counts():
    # A loud frame in four shuts every unit; the others let half of an error through.
    model = model_of("rnn", np.full((2, 1), 20.0), 0.5 * np.eye(2), np.zeros(2))
    frames = np.zeros((900, 1), np.float32)
    frames[::4] = 1.0
    found = lyapunov_exponent(model, lanes(frames))
    assert found.is_contracting
    wanted = (math.log(1e-8) + 3 * math.log(0.5)) / 4
    assert found.exponent == pytest.approx(wanted, abs=0.2)


@pytest.mark.parametrize("radius", [0.5, 0.95])
def test_a_small_rotation_shrinks_by_its_radius(radius):
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(8, 8)))
    model = model_of("rnn", np.full((8, 3), 1e-6), radius * turn, np.zeros(8))
    found = lyapunov_exponent(model, lanes(noise()))
    assert found.exponent == pytest.approx(math.log(radius), abs=1e-6)


def test_a_chaotic_network_has_a_positive_exponent():
    # Sompolinsky, Crisanti and Sommers 1988: random weights of a gain above 1.
    w_h = np.random.default_rng(0).normal(0, 3 / np.sqrt(60), (60, 60))
    model = model_of("rnn", np.full((60, 3), 0.01), w_h, np.zeros(60))
    found = lyapunov_exponent(model, lanes(noise()))
    assert found.low > 0
    assert not found.is_contracting
    assert found.half_life is None
    # Strong input that is the same for both neighbours makes it forget.
    loud = model_of("rnn", np.full((60, 3), 3.0), w_h, np.zeros(60))
    assert lyapunov_exponent(loud, lanes(noise())).exponent < found.exponent


def test_the_exponent_does_not_depend_on_the_run_and_narrows_with_the_lanes():
    model = float_model(Shape(("lstm",), (6,), inputs=3, seed=2))
    frames = noise(5000)
    one, again = (lyapunov_exponent(model, lanes(frames)) for _ in range(2))
    assert one == again
    many = lyapunov_exponent(model, lanes(frames, 24))
    assert many.high - many.low < one.high - one.low
    assert one.low < many.exponent < one.high


@pytest.mark.parametrize("kind", GATES)
def test_local_errors_explain_the_drift_of_a_model_that_forgets(kind):
    exact = float_model(Shape((kind,), (12,), inputs=3, seed=4))
    model = quantized_model(exact, -10)
    cut = lanes(noise(3000), 8, 100, 200)
    rate = lyapunov_exponent(exact, cut).rate
    found = predict_drift(exact, model, cut, rate)
    for row in found.states:
        assert row.ratio == pytest.approx(1.0, abs=0.15), row
        assert row.beyond == 0.0
        assert row.gain > 0
    assert found.unexplained(found.hidden_measured) == pytest.approx(1.0, abs=0.15)
    assert found.bound > 0
    json.dumps(found.to_json(), allow_nan=False)


def test_prediction_of_a_leaky_unit_is_the_recursion_by_hand():
    exact = without_recurrence("gru", "z", [3.0, 3.0])
    model = quantized(exact)
    cut = lanes(noise(1000), 4, 50, 200)
    found = predict_drift(exact, model, cut, 1 / (1 + math.exp(-3.0)))
    (row,) = found.states
    # Errors are independent of each other to a good part: their squares add up, and never to more
    # than if all pointed one way.
    z = 1 / (1 + math.exp(-3.0))
    assert row.local < row.measured < row.local / (1 - z)
    assert row.ratio == pytest.approx(1.0, abs=0.1)
    assert row.measured < found.bound == pytest.approx(row.local / (1 - z))
    assert predict_drift(exact, model, cut).bound is None


def test_the_rounding_of_the_start_is_no_part_of_the_prediction():
    # A cell so coarse that rounding a state to its grid is as much as all that a step adds.
    exact = float_model(Shape(("lstm",), (12,), inputs=3, seed=4))
    found = predict_drift(exact, quantized_model(exact, -6), lanes(noise(3000), 8, 100, 200))
    for row in found.states:
        assert row.ratio == pytest.approx(1.0, abs=0.06), row


def test_a_cell_beyond_its_range_is_said_to_be():
    exact = without_recurrence("lstm", "f", [4.0, 4.0])
    model = quantized(exact, cell_exponent=-15)
    found = predict_drift(exact, model, lanes(noise(size=3.0)), 0.98)
    assert next(row for row in found.states if row.state == "c0").beyond > 0.01
    assert found.bound is None


@pytest.mark.parametrize(("steps", "worth"), [(200, 1.0), (300, 1.5), (800, 4.0), (5000, 4.0)])
def test_lanes_that_overlap_are_worth_fewer(steps, worth):
    assert lanes(noise(steps)).worth == pytest.approx(worth)


def test_overlapping_lanes_have_an_interval_that_holds_the_mean():
    """As if independent, 16 lanes of 768 of 2,000 frames would hold 39 % of the means."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(300):
        cut = cut_lanes(rng.normal(size=(2000, 1)), 16, 0, 768)
        mean = independent_mean(cut.frames[:, :, 0].mean(axis=1), cut.worth)
        hits += mean.low <= 0.0 <= mean.high
    assert hits / 300 >= 0.93


def test_a_short_stream_leaves_the_exponent_less_certain():
    model = without_recurrence("gru", "z", [1.0, 3.0, -1.0])
    frames = noise(2000)
    short, long = (lyapunov_exponent(model, lanes(frames[:n], 8)) for n in (300, 2000))
    assert short.high - short.low > 2.0 * (long.high - long.low)


def test_streams_shorter_than_a_lane_are_refused():
    with pytest.raises(DataError, match=r"shape \(50, 3\); expected \(T, D\) with at least 200"):
        lanes(noise(50))
    with pytest.raises(DataError, match="Lanes: 0 of"):
        lanes(noise(), 0)
