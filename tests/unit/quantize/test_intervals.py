import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import Shape, float_model, quantized_model

from rnn_edge.cells import CELLS, lower_model
from rnn_edge.fixedpoint import add, multiply, saturate_int16, subtract
from rnn_edge.quantize.intervals import Interval, step_intervals
from rnn_edge.quantize.invariants import find_recursion, recursion_bound, state_invariant
from rnn_edge.quantize.observation import wide_result
from rnn_edge.quantize.ranges import analytic_intervals
from rnn_edge.quantize.rounding import quantize_matrix
from rnn_edge.reference import IntegerReference
from rnn_edge.types import QuantizedLayer, QuantizedModel
from rnn_edge.types.program import Split

STEPS = 40


def frames_of(generator, inputs):
    """Streams held at either end, jumping between the ends, and wandering; int16 (9, T, D)."""
    shape = (3, STEPS, inputs)
    held = np.broadcast_to(generator.choice([-32768, 32767], (3, 1, inputs)), shape)
    jumping = generator.choice([-32768, 0, 32767], shape)
    wandering = np.cumsum(generator.normal(0, 3000, shape), axis=1)
    return saturate_int16(np.concatenate([held, jumping, wandering]))


@settings(max_examples=30, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=2),
    units=st.integers(1, 4),
    inputs=st.integers(1, 3),
    gain=st.sampled_from([0.02, 0.1, 0.5, 2.0, 30.0]),
    exponent=st.sampled_from([-13, -10, -7]),
    head=st.sampled_from(["linear", "softmax", "argmax"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_tensor_of_any_step_leaves_its_interval(
    kinds, units, inputs, gain, exponent, head, seed
):
    shape = Shape(tuple(kinds), (units,) * len(kinds), inputs, 2, exponent, gain, seed, head)
    model = quantized_model(float_model(shape), exponent)
    program = lower_model(model)
    bounds = analytic_intervals(program)
    assert set(bounds) == set(program.tensors)
    scale = {name: tensor.exponent for name, tensor in program.tensors.items()}
    frames = frames_of(np.random.default_rng(seed), inputs)
    engine = IntegerReference(model, len(frames))
    for t in range(STEPS):
        engine.step(frames[:, t])
        wide = dict(engine.values)
        for op in program.ops:
            if not isinstance(op, Split):
                wide[op.out] = wide_result(op, engine.values, scale)
                np.testing.assert_array_equal(saturate_int16(wide[op.out]), engine.values[op.out])
        for name, interval in bounds.items():
            assert (wide[name] >= interval.low).all(), name
            assert (wide[name] <= interval.high).all(), name


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), gain=st.sampled_from([0.1, 1.0, 8.0]))
def test_the_bound_of_a_matrix_row_is_reached_to_the_unit(seed, gain):
    model = quantized_model(float_model(Shape(("gru",), (3,), gain=gain, seed=seed)), -10)
    program = lower_model(model)
    bounds = step_intervals(program, {"h0": Interval.whole(3)})["l0_gx"]
    matrix = model.layers[0].x
    op = next(op for op in program.ops if getattr(op, "out", "") == "l0_gx")
    for row, weights in enumerate(matrix.weight):
        high = np.where(weights > 0, 32767, -32768).astype(np.int16)
        low = np.where(weights > 0, -32768, 32767).astype(np.int16)
        assert wide_result(op, {"x": high}, {})[row] == bounds.high[row]
        assert wide_result(op, {"x": low}, {})[row] == bounds.low[row]


def interpolate(n, h, z):
    """The end of a GRU step on integers."""
    d = subtract(h, -15, n, -15, -14)
    return n.astype(np.int64) + 2 * multiply(z, -15, d, -14, -14).astype(np.int64)


EDGES = st.one_of(st.integers(-32768, 32767), st.sampled_from([-32768, -32767, -1, 0, 1, 32767]))


def small(low, width):
    return np.arange(low, min(low + width, 32767) + 1).astype(np.int16)


def gru_program():
    return lower_model(quantized_model(float_model(Shape(("gru",), (1,))), -10))


@settings(max_examples=300, deadline=None)
@given(
    n=st.tuples(EDGES, st.integers(0, 9)),
    h=st.tuples(EDGES, st.integers(0, 9)),
    z=st.tuples(st.one_of(st.integers(0, 32767), st.sampled_from([0, 16384, 32767])), EDGES),
)
def test_the_end_of_a_gru_step_is_bounded_over_every_operand(n, h, z):
    from rnn_edge.quantize.intervals import _apply

    program = gru_program()
    makers = {op.out: op for op in program.ops if not isinstance(op, Split)}
    scale = {name: tensor.exponent for name, tensor in program.tensors.items()}
    every = {"l0_n": small(*n), "h0_in": small(*h), "l0_z": small(z[0], abs(z[1]) % 10)}
    found = {name: Interval(values[:1], values[-1:]) for name, values in every.items()}
    for name in ("l0_d", "l0_zd", "h0_out"):
        _apply(makers[name], scale, makers, found)
    n_all, h_all, z_all = np.meshgrid(*every.values())
    real = interpolate(n_all, h_all, z_all)
    bound = found["h0_out"]
    assert bound.low[0] <= real.min()
    assert real.max() <= bound.high[0]
    if (found["l0_d"].fits & found["l0_zd"].fits).all():
        assert (bound.low[0], bound.high[0]) == (real.min(), real.max())


def test_a_gru_state_wants_one_unit_more_than_int16_at_most():
    for seed in range(5):
        model = quantized_model(float_model(Shape(("gru",), (8,), gain=8.0, seed=seed)), -10)
        state = analytic_intervals(lower_model(model))["h0_out"]
        assert state.high.max() <= 32768
        assert state.low.min() >= -32769


def test_a_sum_that_only_resembles_an_interpolation_keeps_its_interval():
    # The operands swapped: n + z*(n - h) moves away from h.
    program = gru_program()
    swapped = tuple(
        type(op)(op.kind, op.b, op.a, op.out) if getattr(op, "out", "") == "l0_d" else op
        for op in program.ops
    )
    program = type(program)(
        program.name, program.tensors, swapped, program.x, program.y, program.states
    )
    found = step_intervals(program, {"h0": Interval.whole(1)})["h0_out"]
    assert found.high[0] > 2 * 32767


@settings(max_examples=200, deadline=None)
@given(
    a=st.tuples(EDGES, st.integers(0, 6)),
    b=st.tuples(EDGES, st.integers(0, 6)),
    exponents=st.tuples(*[st.integers(-15, -9)] * 3),
    kind=st.sampled_from([add, subtract, multiply]),
)
def test_the_ends_of_an_operator_are_those_of_all_operands(a, b, exponents, kind):
    from rnn_edge.quantize.intervals import _BINARY

    one, other = small(*a), small(*b)
    ends = _BINARY[kind.__name__](
        Interval(one[:1], one[-1:]), exponents[0], Interval(other[:1], other[-1:]), *exponents[1:]
    ).saturated()
    pairs = np.array(list(itertools.product(one, other)), np.int16)
    real = kind(pairs[:, 0], exponents[0], pairs[:, 1], *exponents[1:])
    assert (ends.low[0], ends.high[0]) == (real.min(), real.max())


def lstm_unit(i, f, g, cell, weight=0.0):
    """An LSTM of one unit whose gates are set by biases, and moved by its input."""
    x = quantize_matrix(np.full((4, 1), weight), np.array([i, f, g, 0.0]), -12, -11)
    h = quantize_matrix(np.zeros((4, 1)), np.zeros(4), -15, -11)
    head = quantize_matrix(np.ones((1, 1)), np.zeros(1), -15, -15)
    return QuantizedModel("m", "anomaly", (QuantizedLayer("lstm", x, h, cell),), head, ("a",))


@pytest.mark.parametrize("cell", [-13, -10, -7])
@pytest.mark.parametrize(("i", "f"), [(0.0, -1.0), (2.0, 0.0), (-1.0, 2.0), (0.0, 1.5)])
def test_the_bound_of_a_cell_is_nearly_reached(i, f, cell):
    model = lstm_unit(i, f, 4.0, cell)
    reached = IntegerReference(model).run(np.zeros((1, 300, 1), np.int16)).states["c0"][0, -1, 0]
    bound = analytic_intervals(lower_model(model))["c0_out"].high[0]
    # A product may be rounded up at every step, and each rounding is kept for 1/(1 - f) steps.
    assert reached <= bound <= reached + 1 + (1 + np.exp(f))


@pytest.mark.parametrize(("f", "is_bounded"), [(8.0, True), (9.4, True), (12.0, False)])
def test_a_forget_gate_that_can_stay_open_leaves_a_cell_to_its_format(f, is_bounded):
    # logistic(9.4) is near the end, logistic(12) the largest value of a gate.
    program = lower_model(lstm_unit(4.0, f, 4.0, -10))
    invariant = state_invariant(program)
    tensors = step_intervals(program, invariant)
    form = find_recursion(program, "c0")
    assert (form.gate, form.added) == ("l0_f", "l0_ig")
    bound = recursion_bound(form, tensors)
    assert (bound is not None) == is_bounded
    if is_bounded:
        gate = tensors["l0_f"].high[0] / 32768
        added = tensors["l0_ig"].high[0]
        assert added / (1 - gate) <= bound.high[0] <= (added + 1) / (1 - gate) + 1
    assert invariant["c0"].high[0] == 32767
    assert find_recursion(program, "h0") is None


def test_a_cell_forgets_by_its_own_gate():
    # Each unit has its own bound: one that forgets is not spoiled by one that does not.
    x = quantize_matrix(np.zeros((8, 1)), np.array([4, 4, -3, 2, 4, 4, 0, 0]), -12, -11)
    h = quantize_matrix(np.zeros((8, 2)), np.zeros(8), -15, -11)
    head = quantize_matrix(np.ones((1, 2)), np.zeros(1), -15, -15)
    model = QuantizedModel("m", "anomaly", (QuantizedLayer("lstm", x, h, -11),), head, ("a",))
    bound = state_invariant(lower_model(model))["c0"].high * 2.0**-11
    assert bound == pytest.approx([0.98 / (1 - 0.047), 0.98 / (1 - 0.881)], rel=0.02)


@pytest.mark.parametrize("kind", sorted(CELLS))
def test_an_invariant_holds_zero_and_what_a_step_makes_of_it(kind):
    program = lower_model(quantized_model(float_model(Shape((kind,), (6,), gain=0.3)), -11))
    invariant = state_invariant(program)
    tensors = step_intervals(program, invariant)
    for name, (_, leaving) in program.states.items():
        assert (invariant[name].low <= 0).all()
        assert (invariant[name].high >= 0).all()
        assert invariant[name].holds(tensors[leaving].saturated())
