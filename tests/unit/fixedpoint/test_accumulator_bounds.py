"""The proof that decides between int32 and int64 sums, against integers of any size."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.fixedpoint import accumulator_bound, row_bounds
from rnn_edge.types import QuantizedMatrix

WEIGHT = st.one_of(st.integers(-127, 127), st.sampled_from([-127, 0, 127]))
BIAS = st.one_of(st.integers(-(2**20), 2**20), st.integers(-(2**63), 2**63 - 1))


def matrix(weight, bias):
    rows = len(weight)
    return QuantizedMatrix(np.array(weight), np.full(rows, 2.0**-9), np.array(bias), -12, -11)


@st.composite
def matrices(draw):
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    row = st.lists(WEIGHT, min_size=columns, max_size=columns)
    weight = draw(st.lists(row, min_size=rows, max_size=rows))
    return matrix(weight, draw(st.lists(BIAS, min_size=rows, max_size=rows)))


def worst_input(weights, sign):
    """Return the int16 values that drive a row's sum furthest to one side."""
    return [-32768 if w * sign < 0 else 32767 for w in weights]


@settings(max_examples=150, deadline=None)
@given(matrices(), st.integers(0, 2**32 - 1))
def test_no_partial_sum_in_any_order_leaves_the_bound(found, seed):
    generator = random.Random(seed)
    for weights, bias, bound in zip(
        found.weight.tolist(), found.bias.tolist(), row_bounds(found), strict=True
    ):
        inputs = [
            worst_input(weights, 1),
            worst_input(weights, -1),
            [-32768] * len(weights),
            [generator.randint(-32768, 32767) for _ in weights],
        ]
        for x in inputs:
            terms = [w * value for w, value in zip(weights, x, strict=True)] + [bias]
            generator.shuffle(terms)
            assert all(abs(partial) <= bound for partial in itertools.accumulate(terms))


@settings(max_examples=150, deadline=None)
@given(matrices())
def test_the_worst_input_comes_within_one_step_of_each_input_of_the_bound(found):
    for weights, bias, bound in zip(
        found.weight.tolist(), found.bias.tolist(), row_bounds(found), strict=True
    ):
        x = worst_input(weights, 1 if bias >= 0 else -1)
        reached = abs(bias + sum(w * value for w, value in zip(weights, x, strict=True)))
        # int16 ends at 32767 on one side: a row falls short by at most one per unit of weight.
        assert bound - sum(map(abs, weights)) <= reached <= bound


def test_a_bound_is_reached_to_the_unit():
    # Weights of one sign meet the side of int16 that reaches 32768.
    assert row_bounds(matrix([[-127, -3]], [11])) == (32768 * 130 + 11,)
    assert -32768 * -127 + -32768 * -3 + 11 == 32768 * 130 + 11


@pytest.mark.parametrize(
    ("bias", "bits", "fits"),
    [(0, 18, True), (2**31 - 1 - 98304, 32, True), (2**31 - 98304, 33, False), (2**40, 42, False)],
)
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_row_decides(bias, bits, fits, sign):
    proof = accumulator_bound("layer0.x", matrix([[1, 0], [1, -2], [0, 0]], [0, sign * bias, 5]))
    assert (proof.matrix, proof.rows, proof.row) == ("layer0.x", 3, 1)
    assert proof.bound == 98304 + bias
    assert (proof.bits, proof.fits_int32) == (bits, fits)
    # Both the bound and its negative fit the bits, and no fewer would do.
    assert -(1 << (bits - 1)) <= -proof.bound
    assert (1 << (bits - 2)) - 1 < proof.bound <= (1 << (bits - 1)) - 1


def test_the_smallest_int64_has_a_magnitude():
    assert row_bounds(matrix([[1]], [-(2**63)])) == (2**63 + 32768,)
