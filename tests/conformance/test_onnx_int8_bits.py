"""The integer ONNX file against the reference: every operator alone, then whole random models."""

from typing import get_args

import numpy as np
import pytest
from conformance_cases import frames_of, models_of
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_step import assert_same_steps, model_of, one_operator, session_of
from random_models import Shape, source

from rnn_edge import fixedpoint
from rnn_edge.exporters import onnx_int8
from rnn_edge.fixedpoint import round_scale_up
from rnn_edge.reference import IntegerReference
from rnn_edge.types import GATES, HeadKind, QuantizedMatrix
from rnn_edge.types.program import Binary, FullyConnected, Unary

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

EVERY = np.arange(-32768, 32768).astype(np.int16)
EXTREME = np.array([-32768, -32767, -1, 0, 1, 32766, 32767], np.int16)
CELL = range(-14, -5)
SUMS = [(-11, -11, -11), (-11, -11, -13), (-15, -14, -15), (-15, -15, -14), (-13, -3, -4)]
PRODUCTS = [
    (-15, -11, -11),
    (-15, -14, -14),
    (-15, -15, -15),
    *((-15, c, c) for c in CELL),
    *((-15, -15, c) for c in CELL),
    # One rounding only, and none.
    (-8, -8, -15),
    (-8, -8, -16),
    (-8, -8, -17),
]
CONVERSIONS = [(-11, -13), (-13, -13), (-13, -12), (-13, -11), (-15, -2), *((c, -13) for c in CELL)]


def pairs():
    """Every int16 on one side, extremes and the neighbours of powers of two on both."""
    rng = np.random.default_rng(0)
    powers = (1 << np.arange(15)).astype(np.int16)
    near = np.concatenate([powers - 1, powers, powers + 1, -powers, 1 - powers, -powers - 1])
    near = np.concatenate([near, EXTREME])
    a = np.concatenate([EVERY, np.repeat(near, len(near))])
    b = np.concatenate([rng.permutation(EVERY), np.tile(near, len(near))])
    return a.astype(np.int16), b.astype(np.int16)


def run(op, entering, out_exponent, size, feeds):
    """Run one operator on columns: every value is a stream of its own."""
    program = one_operator(op, entering, {"y": (size, out_exponent)})
    return session_of(model_of(program)).run(["y"], feeds)[0]


@pytest.mark.parametrize(("kind", "exponent"), [("logistic", -11), ("tanh", -13)])
def test_tables_hold_every_input(kind, exponent):
    op = Unary(kind, "x", "y")
    actual = run(op, {"x": (1, exponent)}, -15, 1, {"x": EVERY[:, None]})
    expected = getattr(fixedpoint, kind)(EVERY, exponent)
    np.testing.assert_array_equal(actual[:, 0], expected)


@pytest.mark.parametrize("scales", CONVERSIONS)
def test_quantize_equals_the_reference_everywhere(scales):
    x_exponent, out = scales
    op = Unary("quantize", "x", "y")
    actual = run(op, {"x": (1, x_exponent)}, out, 1, {"x": EVERY[:, None]})
    np.testing.assert_array_equal(actual[:, 0], fixedpoint.requantize(EVERY, x_exponent, out))


@pytest.mark.parametrize(
    ("kind", "scales"),
    [
        *(("add", s) for s in SUMS),
        *(("subtract", s) for s in SUMS),
        *(("multiply", s) for s in PRODUCTS),
    ],
)
def test_two_operands_equal_the_reference(kind, scales):
    a_exponent, b_exponent, out = scales
    a, b = pairs()
    op = Binary(kind, "x", "b", "y")
    entering = {"x": (1, a_exponent), "b": (1, b_exponent)}
    actual = run(op, entering, out, 1, {"x": a[:, None], "b": b[:, None]})
    expected = getattr(fixedpoint, kind)(a, a_exponent, b, b_exponent, out)
    np.testing.assert_array_equal(actual[:, 0], expected)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    columns=st.sampled_from([1, 2, 7, 64, 515, 517, 700]),
    row_scale=st.sampled_from([2.0**-24, 3.1e-6, 1e-4, 0.008, 0.9]),
    exponents=st.sampled_from([(-12, -11), (-15, -11), (-15, -8), (-6, -11)]),
    bias_bits=st.integers(0, 46),
    seed=st.integers(0, 2**32 - 1),
)
def test_products_equal_the_reference(columns, row_scale, exponents, bias_bits, seed):
    rng = np.random.default_rng(seed)
    rows = 6
    weight = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    weight[0] = 127
    weight[1] = -127
    bias = rng.integers(-(2**bias_bits), 2**bias_bits, rows, endpoint=True)
    scale = round_scale_up(np.full(rows, row_scale) * rng.uniform(1, 2, rows))
    matrix = QuantizedMatrix(weight, scale, bias, *exponents)
    x = rng.integers(-32768, 32768, (40, columns)).astype(np.int16)
    # A product near the bias cancels it, so that not every row saturates.
    x[:20] //= 2 ** rng.integers(0, 16, (20, 1)).astype(np.int16)
    x[20], x[21] = -32768, 32767
    op = FullyConnected("y", "x", matrix, "y")
    actual = run(op, {"x": (columns, exponents[0])}, exponents[1], rows, {"x": x})
    multiplier, shift = fixedpoint.row_multipliers(scale, *exponents)
    # Python's integers, which cannot overflow.
    total = x.astype(object) @ weight.T.astype(object) + bias.astype(object)
    half = 1 << (shift.astype(object) - 1)
    expected = np.clip((total * multiplier + half) >> shift.astype(object), -32768, 32767)
    np.testing.assert_array_equal(actual, expected.astype(np.int16))


@pytest.mark.parametrize("row_scale", [2.0**-24, 3.1e-6, 1e-4, 0.008, 0.9])
def test_products_next_to_a_tie_equal_the_reference(row_scale):
    scale = round_scale_up(np.full(60, row_scale))
    multiplier, shift = (int(v[0]) for v in fixedpoint.row_multipliers(scale, -15, -11))
    period = 1 << shift
    # The biases whose products with the (odd) multiplier are this far from the middle.
    near = [(period >> 1) + distance for distance in range(-14, 16)]
    above = [middle * pow(multiplier, -1, period) % period for middle in near]
    biases = [*above, *(bias - period for bias in above)]
    matrix = QuantizedMatrix(np.zeros((60, 1), np.int8), scale, np.array(biases), -15, -11)
    op = FullyConnected("y", "x", matrix, "y")
    actual = run(op, {"x": (1, -15)}, -11, 60, {"x": np.zeros((1, 1), np.int16)})
    rounded = [(bias * multiplier + (1 << (shift - 1))) >> shift for bias in biases]
    assert max(rounded) > 8000
    assert min(rounded) < -8000
    np.testing.assert_array_equal(actual[0], rounded)


def test_every_form_of_the_product_is_met():
    def kinds(columns, bias):
        matrix = QuantizedMatrix(
            np.full((1, columns), 127, np.int8),
            round_scale_up(np.array([1e-4])),
            np.array([bias]),
            -15,
            -11,
        )
        program = one_operator(
            FullyConnected("y", "x", matrix, "y"), {"x": (columns, -15)}, {"y": (1, -11)}
        )
        import onnx

        graph = onnx.load_from_string(model_of(program)).graph
        casts = {node.attribute[0].i for node in graph.node if node.op_type == "Cast"}
        adds = sum(node.op_type == "Add" for node in graph.node)
        return onnx.TensorProto.INT32 in casts, adds

    # 516 weights of 127 times -32768 are the most that int32 holds.
    assert kinds(516, 0) == (True, 1)
    assert kinds(517, 0) == (False, 1)
    assert kinds(516, 2**40) == (True, 2)


def extreme_states(model, rng, streams):
    """Half of the streams start at the ends of the range, as no trained model would."""
    states = {}
    for name, size in model.state_sizes.items():
        value = rng.integers(-32768, 32768, (streams, size)).astype(np.int16)
        value[::2] = rng.choice(EXTREME, value[::2].shape)
        value[0] = 0
        states[name] = value
    return states


SIZES = st.one_of(st.integers(1, 33), st.sampled_from([63, 64, 65, 130]))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    kinds=st.lists(st.sampled_from(sorted(GATES)), min_size=1, max_size=2),
    units=st.tuples(SIZES, SIZES),
    inputs=SIZES,
    outputs=st.integers(1, 13),
    gain=st.sampled_from([0.3, 1.0, 4.0, 20.0]),
    cell_exponent=st.sampled_from([-14, -12, -10, -7]),
    seed=st.integers(0, 2**32 - 1),
    head=st.sampled_from(get_args(HeadKind)),
)
def test_random_models_have_every_bit(
    kinds, units, inputs, outputs, gain, cell_exponent, seed, head
):
    units = units[: len(kinds)]
    shape = Shape(tuple(kinds), units, inputs, outputs, cell_exponent, gain, seed, head)
    model = source(shape).model
    rng = np.random.default_rng(seed)
    streams, length = 6, 12
    frames = rng.integers(-32768, 32768, (length, streams, inputs)).astype(np.int16)
    frames[:, 1] = 0
    frames[:, 2] = rng.choice(np.array([-32768, 32767], np.int16), frames[:, 2].shape)
    frames[:, 3:] //= 8
    reference = IntegerReference(model, streams)
    reference.reset(extreme_states(model, rng, streams))
    session = session_of(onnx_int8.build(model).SerializeToString())
    assert_same_steps(session, reference, frames, str(shape))


@pytest.mark.parametrize(
    "kinds", [("gru",), ("lstm",), ("gru", "lstm"), ("rnn", "gru_reset_before")]
)
def test_two_thousand_steps_without_reset(kinds):
    model = source(Shape(kinds, (24, 17)[: len(kinds)], inputs=9, gain=2.0, seed=21)).model
    rng = np.random.default_rng(22)
    noise = rng.normal(0, 1, (2000, 2, 9))
    for t in range(1, len(noise)):
        noise[t] += 0.9 * noise[t - 1]
    frames = np.clip(np.rint(noise * 4096), -32768, 32767).astype(np.int16)
    session = session_of(onnx_int8.build(model).SerializeToString())
    assert_same_steps(session, IntegerReference(model, 2), frames, str(kinds))


@pytest.mark.parametrize("case", ["lstm-gru", "gru-steep", "lstm-steep"])
def test_bits_do_not_depend_on_what_the_runtime_rewrites(case):
    model = models_of(case).model
    content = onnx_int8.build(model).SerializeToString()
    frames = frames_of(case, "saturating")[:10, None]
    runner = session_of(content, optimized=False)
    assert_same_steps(runner, IntegerReference(model), frames, case)


@pytest.mark.parametrize("case", ["lstm-gru", "gru-steep"])
def test_the_evaluator_of_the_onnx_package_has_the_same_bits(case):
    evaluator = pytest.importorskip("onnx.reference")
    model = models_of(case).model
    runner = evaluator.ReferenceEvaluator(onnx_int8.build(model))
    frames = frames_of(case, "random")[:10, None]
    assert_same_steps(runner, IntegerReference(model), frames, case)
