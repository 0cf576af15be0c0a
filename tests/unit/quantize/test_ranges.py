import json
import math

import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.cells import lower_model
from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import fully_connected, row_bounds, row_multipliers
from rnn_edge.quantize import model_ranges, observation, quantize_input, replayed_ranges
from rnn_edge.quantize.observation import observe
from rnn_edge.quantize.squashing import squashing_functions
from rnn_edge.reference import IntegerReference
from rnn_edge.types import QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.accumulators import AccumulatorBound
from rnn_edge.types.ranges import MatrixRange, Span, TensorRange

MODEL = quantized_model(float_model(Shape(("lstm", "gru"), (4, 3), gain=4.0, seed=3)), -12)
FRAMES = np.random.default_rng(0).normal(0, 4, (2, 200, 5))


@pytest.fixture(scope="module")
def ranges():
    return model_ranges(MODEL, FRAMES)


def test_every_tensor_has_one_row_in_the_order_of_a_step(ranges):
    names = [row.tensor for row in ranges.tensors]
    assert sorted(names) == sorted(lower_model(MODEL).tensors)
    assert names[:4] == ["x", "h0_in", "c0_in", "h1_in"]
    assert names[-1] == "y"
    assert names.index("l0_gx") < names.index("c0_out") < names.index("l1_gx")
    operators = {row.tensor: row.operator for row in ranges.tensors}
    assert operators["x"] == "input"
    assert operators["c0_in"] == "state"
    assert operators["l0_gx"] == operators["y"] == "matrix"
    assert operators["l0_a_f"] == "split"
    assert (operators["c0_out"], operators["l0_fc"]) == ("add", "multiply")
    assert (operators["l0_f"], operators["l0_g"]) == ("logistic", "tanh")
    assert (operators["l0_c_fine"], operators["l1_d"]) == ("quantize", "subtract")


def test_what_was_seen_is_what_the_reference_did(ranges):
    rows = {row.tensor: row for row in ranges.tensors}
    trace = IntegerReference(MODEL, 2).run(quantize_input(FRAMES))
    for tensor, values in {"h0_out": trace.states["h0"], "h1_out": trace.states["h1"]}.items():
        row = rows[tensor]
        assert (row.calibrated.low, row.calibrated.high) == (values.min(), values.max())
        assert row.values == values.size
        assert row.saturated == 0
    # A state enters as it was left, the first time as zero.
    assert rows["h1_in"].calibrated.high == trace.states["h1"][:, :-1].max()
    wanted = np.rint(FRAMES * 4096)
    assert rows["x"].calibrated == Span(int(wanted.min()), int(wanted.max()))
    assert rows["x"].saturated == ((wanted > 32767) | (wanted < -32768)).sum() > 0


def test_values_beyond_int16_are_counted_before_they_are_saturated(ranges):
    rows = {row.tensor: row for row in ranges.tensors}
    matrix, x = MODEL.layers[0].x, quantize_input(FRAMES)
    exact = x.astype(object) @ matrix.weight.T.astype(object) + matrix.bias
    factors = row_multipliers(matrix.weight_scale, -12, -11)
    half = np.int64(1) << (factors[1] - 1)
    wide = ((exact * factors[0] + half) >> factors[1]).astype(np.int64)
    outside = (wide > 32767) | (wide < -32768)
    assert 0 < outside.sum() == rows["l0_gx"].saturated
    assert rows["l0_gx"].calibrated == Span(int(wide.min()), int(wide.max()))
    assert rows["l0_gx"].loses
    narrow = fully_connected(x, matrix.weight.astype(float), matrix.bias, *factors)
    assert ((narrow == wide) == ~outside).all()
    assert {row.largest.matrix: row.seen for row in ranges.matrices}["layer0.x"] == abs(exact).max()


def test_proofs_hold_on_the_calibration_streams(ranges):
    for row in ranges.tensors:
        if row.analytic is not None:
            assert row.analytic.low <= row.calibrated.low, row.tensor
            assert row.calibrated.high <= row.analytic.high, row.tensor
    for row in ranges.matrices:
        assert row.seen <= row.largest.bound


def test_a_replay_measures_as_a_calibration_does(ranges):
    for row, replayed in zip(ranges.tensors, sorted_as(ranges, FRAMES), strict=True):
        found = replayed.to_json()
        assert (replayed.tensor, replayed.seen) == (row.tensor, row.calibrated)
        assert (replayed.values, replayed.saturated) == (row.values, row.saturated)
        assert replayed.loses == row.loses == found["loses"]
        assert found["seen"] == row.to_json()["calibrated"]
        assert found["headroom_bits"] == row.calibrated.headroom_bits
        assert found["representable"] == row.to_json()["representable"]
    with pytest.raises(ModelError, match=r"Frames \("):
        replayed_ranges(MODEL, FRAMES[:, :0])


def sorted_as(ranges, frames):
    rows = {row.tensor: row for row in replayed_ranges(MODEL, frames)}
    return [rows[row.tensor] for row in ranges.tensors]


def test_observation_does_not_mind_how_steps_are_cut():
    program = lower_model(MODEL)
    whole = observe(MODEL, program, FRAMES)
    first = observe(MODEL, program, FRAMES[:1])
    other = observe(MODEL, program, FRAMES[1:])
    for name in program.tensors:
        assert whole.saturated[name] == first.saturated[name] + other.saturated[name]
        np.testing.assert_array_equal(whole.low[name], np.minimum(first.low[name], other.low[name]))
        np.testing.assert_array_equal(whole.stuck[name], first.stuck[name] & other.stuck[name])


def test_matrices_count_the_rows_of_each_width():
    rows = [[1, 0], [127, -127], [0, 0]]
    limit = 2**31 - 1 - 32768  # the largest bias that an int32 holds beside a weight of 1
    x = QuantizedMatrix(rows, [2.0**-8] * 3, [limit, 5, 2**31], -20, -11)
    h = QuantizedMatrix([[0]] * 3, [1.0] * 3, [0] * 3, -15, -11)
    head = QuantizedMatrix([[1]], [1.0], [0], -15, -15)
    model = QuantizedModel("m", "anomaly", (QuantizedLayer("gru", x, h, None),), head, ("a",))
    found = model_ranges(model, np.zeros((1, 1, 2))).matrices[0]
    assert row_bounds(x) == (2**31 - 1, 254 * 32768 + 5, 2**31)
    assert (found.smallest_bits, found.largest.bits) == (24, 33)
    assert (found.int32_rows, found.largest.row, found.seen) == (2, 2, 2**31)
    assert found.to_json()["int64_rows"] == 1


@pytest.mark.parametrize(
    ("low", "high", "bits", "excess", "fits"),
    [
        (0, 0, None, 0, True),
        (0, 32767, 0.0, 0, True),
        (-32768, 0, 0.0, 0, True),
        (-16384, 100, 1.0, 0, True),
        (0, 32768, math.log2(32767 / 32768), 1, False),
        (-32769, 0, math.log2(32768 / 32769), 1, False),
        (-65536, 8, -1.0, 32768, False),
        (5, 32767 * 4, -2.0, 32767 * 3, False),
    ],
)
def test_headroom_is_that_of_the_side_with_the_least_room(low, high, bits, excess, fits):
    span = Span(low, high)
    assert span.headroom_bits == pytest.approx(bits)
    assert (span.excess, span.fits) == (excess, fits)


def row(analytic, calibrated, saturated, squashed_by=()):
    return TensorRange("t", "add", 4, -11, analytic, calibrated, 100, saturated, squashed_by)


def test_a_verdict_is_proved_or_seen_or_neither():
    inside, outside, beside = Span(-5, 32767), Span(-5, 40000), Span(-5, 32768)
    assert row(inside, inside, 0).verdict == "never"
    assert row(outside, inside, 0).verdict == row(None, inside, 0).verdict == "possible"
    assert row(outside, outside, 3).verdict == "seen"
    assert row(outside, outside, 3).loses
    # One unit is what a rounding may cost.
    assert not row(beside, beside, 3).loses
    assert not row(outside, outside, 3, ("tanh",)).loses


def test_json_speaks_in_real_units():
    found = row(None, Span(-4096, 2048), 0).to_json()
    assert found["representable"] == [-16.0, 32767 / 2048]
    assert found["analytic"] is found["analytic_headroom_bits"] is None
    assert (found["calibrated"], found["calibrated_headroom_bits"]) == ([-2.0, 1.0], 3.0)
    assert row(Span(-40000, 0), Span(0, 0), 0).to_json()["analytic_excess_lsb"] == 7232
    assert row(None, Span(0, 0), 0).to_json()["calibrated_headroom_bits"] is None
    matrix = MatrixRange(AccumulatorBound("head", 12, 3, 2**20), 18, 12, 4711).to_json()
    assert (matrix["bits"], matrix["smallest_bits"], matrix["seen"]) == (22, 18, 4711)


def test_ranges_are_json_as_they_are(ranges):
    assert json.loads(json.dumps(ranges.to_json(), allow_nan=False)) == ranges.to_json()


def test_tensors_that_only_go_into_a_table_are_known():
    program = lower_model(MODEL)
    found = {name: squashing_functions(program, name) for name in program.tensors}
    assert found["l0_gates"] == ("logistic", "tanh")
    assert found["l0_a_f"] == ("logistic",)
    assert found["l0_a_g"] == found["l0_c_fine"] == found["l1_a_n"] == ("tanh",)
    # A carried state, the output, and what is added to something else.
    for name in ("c0_out", "h1_out", "y", "l0_gx", "l1_x_r", "x", "l0_f", "l1_rh_n"):
        assert found[name] == ()


def test_an_input_at_an_end_is_cut_off_by_nobody_knows_how_much():
    model = quantized_model(float_model(Shape(("gru",), (3,))), None)
    limit = 32767 * 2.0**model.input_exponent
    frames = np.zeros((2, 8, model.inputs))
    frames[0, 3, :2] = limit
    frames[1, 5, 0] = -32768 * 2.0**model.input_exponent
    for row in (model_ranges(model, frames).tensors[0], replayed_ranges(model, frames)[0]):
        assert (row.tensor, row.saturated, row.loses) == ("x", 3, True)
    frames *= 0.5
    for row in (model_ranges(model, frames).tensors[0], replayed_ranges(model, frames)[0]):
        assert (row.tensor, row.saturated, row.loses) == ("x", 0, False)


@pytest.mark.parametrize("chunk", [64, 4096])
def test_a_stream_that_was_run_before_measures_the_same_without_running_it_again(
    chunk, monkeypatch
):
    monkeypatch.setattr(observation, "CHUNK_STEPS", chunk)
    stream = FRAMES[0]
    trace = IntegerReference(MODEL).run(quantize_input(stream)[None])
    states = {name: value[0] for name, value in trace.states.items()}
    assert replayed_ranges(MODEL, stream[None], states) == replayed_ranges(MODEL, stream[None])
