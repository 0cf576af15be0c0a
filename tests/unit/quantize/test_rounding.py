import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from random_models import Shape, float_model

from rnn_edge.cells import lower_model
from rnn_edge.errors import ModelError
from rnn_edge.quantize import calibrate, quantize_input, quantize_model, quantize_rows
from rnn_edge.quantize.rounding import (
    CELL_EXPONENTS,
    OUTPUT_EXPONENTS,
    exponent_for,
    finest_cells,
    quantize_matrix,
)
from rnn_edge.types import DenseWeights
from rnn_edge.types.calibration import CalibrationStats

MATRICES = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-1e4, 1e4, width=32),
)


@settings(max_examples=150, deadline=None)
@given(MATRICES)
def test_rows_are_rounded_to_nearest_within_127(weight):
    rounded, scale = quantize_rows(weight)
    assert rounded.dtype == np.int8
    assert np.abs(rounded.astype(int)).max() <= 127
    error = np.abs(rounded * scale.astype(np.float64)[:, None] - weight)
    assert (error <= scale.astype(np.float64)[:, None] / 2).all()
    mantissa = np.frexp(scale.astype(np.float64))[0] * 2**15
    assert (mantissa == np.rint(mantissa)).all()
    assert (mantissa.astype(int) % 2 == 1).all()
    # No coarser than two steps of the mantissa above the ideal.
    ideal = np.maximum(np.abs(weight.astype(np.float64)).max(axis=1) / 127, 2.0**-24)
    assert (scale >= ideal).all()
    assert (scale <= ideal * (1 + 2.0**-13)).all()


def test_known_rows():
    weight = np.array([[127.0, -127.0, 63.4], [0.0, 0.0, 0.0], [1e-9, 0.0, 0.0]])
    rounded, scale = quantize_rows(weight)
    # 1.0 has the even mantissa 2^14; the next odd one is a 2^-14 higher.
    assert scale[0] == 1.0 + 2.0**-14
    assert rounded[0].tolist() == [127, -127, 63]
    assert scale[1] == scale[2] == np.float32(2.0**-24 * (1 + 2.0**-14))
    assert not rounded[1:].any()


def test_biases_stand_at_input_scale_times_row_scale():
    weight = np.array([[0.5, -0.25], [2.0, 1.0]])
    bias = np.array([0.3, -1.7])
    matrix = quantize_matrix(weight, bias, -12, -11)
    unit = matrix.weight_scale.astype(np.float64) * 2.0**-12
    assert matrix.bias.dtype == np.int64
    assert (np.abs(matrix.bias * unit - bias) <= unit / 2).all()
    assert (matrix.input_exponent, matrix.output_exponent) == (-12, -11)


def test_a_row_of_zeros_keeps_its_bias():
    matrix = quantize_matrix(np.zeros((1, 3)), np.array([1.5]), -15, -11)
    assert not matrix.weight.any()
    value = matrix.bias[0] * float(matrix.weight_scale[0]) * 2.0**-15
    assert value == pytest.approx(1.5, abs=2.0**-39)


def test_a_bias_beyond_the_accumulator_is_refused():
    # At the finest row scale the accumulator's 48 bits end just above 256.
    quantize_matrix(np.zeros((2, 3)), np.array([1.0, 255.0]), -15, -8)
    with pytest.raises(ModelError, match="Bias of row 1: 300 is too large"):
        quantize_matrix(np.zeros((2, 3)), np.array([1.0, 300.0]), -15, -8)
    with pytest.raises(ModelError, match="Bias of row 0"):
        quantize_matrix(np.zeros((1, 3)), np.array([-1e30]), -15, -8)


@pytest.mark.parametrize("exponent", [-12, -15])
def test_inputs_saturate(exponent):
    step = 2.0**exponent
    x = np.array([0.0, step, -step, 0.49 * step, 0.51 * step, 1e9, -1e9, np.inf, -np.inf])
    found = quantize_input(x, exponent)
    assert found.dtype == np.int16
    assert found.tolist() == [0, 1, -1, 0, 1, 32767, -32768, 32767, -32768]


@given(st.floats(1e-6, 256.0))
def test_the_exponent_holds_the_limit_and_is_the_finest(limit):
    found = exponent_for(limit, CELL_EXPONENTS, "c0") if limit <= 255.99 else -7
    assert found in CELL_EXPONENTS
    assert limit <= math.ldexp(32768.0, found)
    if found > CELL_EXPONENTS.start:
        assert limit > math.ldexp(32767.0, found - 1) * (1 - 1e-12)


@pytest.mark.parametrize("limit", [math.inf, math.nan, 1e30, 40000.0])
def test_absurd_ranges_are_refused(limit):
    with pytest.raises(ModelError, match="Range of y"):
        exponent_for(limit, OUTPUT_EXPONENTS, "y")


def test_a_cell_beyond_256_is_refused():
    assert exponent_for(255.9, CELL_EXPONENTS, "c0") == -7
    with pytest.raises(ModelError, match=r"Range of c0: 256; expected at most 2\^8"):
        exponent_for(256.0, CELL_EXPONENTS, "c0")


def stats(cell=3.0, output=5.0):
    return CalibrationStats(10, 1, 1.0, output, {"c0": cell, "c1": cell / 4})


def two_lstms():
    return float_model(Shape(("lstm", "lstm"), (4, 3)))


def test_headroom_widens_cells_and_outputs():
    model = two_lstms()
    tight = quantize_model(model, stats(3.9, 7.9), headroom_bits=0.0)
    wide = quantize_model(model, stats(3.9, 7.9), headroom_bits=2.0)
    assert tight.state_exponents == {"h0": -15, "c0": -13, "h1": -15, "c1": -13}
    assert wide.state_exponents == {"h0": -15, "c0": -11, "h1": -15, "c1": -13}
    assert (tight.output_exponent, wide.output_exponent) == (-12, -10)
    assert tight.input_exponent == -12
    with pytest.raises(ModelError, match="Range of c0"):
        quantize_model(model, stats(cell=200.0), headroom_bits=1.0)
    with pytest.raises(ModelError, match="Range of y"):
        quantize_model(model, stats(output=30000.0), headroom_bits=1.0)


def test_scales_that_are_decided_already_are_kept():
    found = quantize_model(two_lstms(), stats(), cell_exponents=[-8, -9])
    assert [layer.cell_exponent for layer in found.layers] == [-8, -9]
    gru = quantize_model(
        float_model(Shape(("gru",), (4,))), CalibrationStats(1, 1, 1.0, 5.0, {}), 1.0, [None]
    )
    assert gru.layers[0].cell_exponent is None


def test_every_weight_of_a_model_is_near_its_original():
    model = two_lstms()
    found = quantize_model(model, stats())
    pairs = [(found.head, model.head.w)]
    for k, layer in enumerate(model.layers):
        pairs += [(found.layers[k].x, layer.w_x), (found.layers[k].h, layer.w_h)]
    for matrix, weight in pairs:
        scale = matrix.weight_scale.astype(np.float64)[:, None]
        assert (np.abs(matrix.weight * scale - weight) <= scale / 2).all()
    assert found.labels == model.labels


def test_a_row_of_zeros_beside_huge_outputs_is_refused_when_lowered():
    model = float_model(Shape(("gru",), (4,)))
    head = DenseWeights(np.zeros_like(model.head.w), model.head.b)
    model = dataclasses.replace(model, head=head)
    found = quantize_model(model, CalibrationStats(1, 1, 1.0, 20000.0, {}), 0.0)
    from rnn_edge.reference import IntegerReference

    assert lower_model(found).y == "y"
    with pytest.raises(ModelError, match="Row multiplier"):
        IntegerReference(found)


def lstm_of(**weights):
    from rnn_edge.types import FloatModel, RecurrentWeights

    arrays = {"w_x": np.zeros((4, 1)), "w_h": np.zeros((4, 1)), "b_x": np.zeros(4)}
    layer = RecurrentWeights("lstm", **(arrays | weights), b_h=np.zeros(4))
    head = DenseWeights(np.ones((1, 1)), np.zeros(1))
    return FloatModel("m", "anomaly", (layer,), head, ("a",))


def test_calibration_sees_the_largest_magnitudes_of_unreset_streams():
    # All gates are half open; g follows tanh(x): c' = c/2 + tanh(x)/2.
    model = lstm_of(w_x=np.array([[0.0], [0.0], [1.0], [0.0]]))
    x = np.array([[3.0, 3.0, -1.0], [0.5, 0.5, -4.0]])[:, :, None]
    found = calibrate(model, x)
    c = np.zeros(2)
    cells, outputs = [], []
    for t in range(3):
        c = c / 2 + np.tanh(x[:, t, 0]) / 2
        cells.append(np.abs(c).max())
        outputs.append(np.abs(np.tanh(c) / 2).max())
    assert (found.steps, found.streams, found.input_max) == (3, 2, 4.0)
    assert found.cell_max["c0"] == pytest.approx(max(cells), rel=1e-6)
    assert found.output_max == pytest.approx(max(outputs), rel=1e-6)
    with pytest.raises(TypeError):
        found.cell_max["c0"] = 0.0


def test_a_forget_gate_near_one_needs_a_long_stream():
    bias = np.array([6.0, 6.0, 6.0, 6.0])
    model = lstm_of(b_x=bias)
    short = calibrate(model, np.zeros((1, 5, 1))).cell_max["c0"]
    long = calibrate(model, np.zeros((1, 300, 1))).cell_max["c0"]
    assert short < 5.0
    assert long > 150.0


def test_calibration_refuses_what_is_no_number():
    with pytest.raises(ModelError, match="a frame is not a finite number"):
        calibrate(lstm_of(), np.full((1, 2, 1), np.nan))
    model = lstm_of(b_x=np.full(4, 3.0))
    head = DenseWeights(np.full((1, 1), 3.4e38), np.full(1, 3.4e38))
    with (
        np.errstate(over="ignore"),
        pytest.raises(ModelError, match="y is inf at step"),
    ):
        calibrate(dataclasses.replace(model, head=head), np.zeros((1, 3, 1)))


def test_a_cell_whose_range_shrank_gets_a_finer_scale_and_never_a_coarser_one():
    ranges = CalibrationStats(10, 1, 1.0, 1.0, {"c0": 15.0, "c2": 40.0})
    assert finest_cells([-9, None, -9], ranges, 1.0) == [-10, None, -9]
    assert finest_cells([-11, None, -9], ranges, 1.0) == [-11, None, -9]
    assert finest_cells([-9, None, -9], ranges, 0.0) == [-11, None, -9]
