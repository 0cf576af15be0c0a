"""Shifts in place of multipliers: equal to the kernels' two roundings for every operand.

``kernel_definition`` is the definition with 31-bit multipliers, compiled from C. Three properties
make a proof over all pairs of operands out of some hundred thousand comparisons:

- A multiplier is a ratio of scales, so that only differences of exponents count.
- ADD and SUB bring each operand to a common scale without a remainder (asserted for every int16);
  from there on the result depends on the sum alone, and every sum that two operands can have is
  compared.
- MUL depends on the product alone, and never falls with it, in the definition as in the reduced
  form: each is a chain of shifts, roundings and saturation, none of which ever falls. Two such
  functions are equal everywhere if they have the same ends and the same steps.

The slow tests of ``test_rounding_sweeps`` compare value by value in C, without these arguments.
"""

import gemmlowp_rounding as exact
import kernel_definition as definition
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from program_scales import scales

from rnn_edge.cells import CELLS
from rnn_edge.fixedpoint import add, logistic, multiply, requantize, subtract, tanh
from rnn_edge.types import GATES

EVERY = np.arange(-32768, 32768).astype(np.int16)
INT16 = st.integers(-32768, 32767)
LARGEST_PRODUCT = 1 << 30
FOUND = scales()


def ids(scale):
    return ",".join(map(str, scale))


def reduced_sum(sign):
    return add if sign == 1 else subtract


def test_the_programs_were_read():
    assert set(CELLS) == set(GATES)
    assert (-11, -11, -11, 1) in FOUND.sums
    assert {-1, 1} == {sign for *_, sign in FOUND.sums}
    assert FOUND.product_shifts == tuple(range(15, 31))
    assert {x for x, _ in FOUND.conversions} >= set(range(-15, 1))
    assert FOUND.tables == (("logistic", -11, -15), ("tanh", -13, -15))


def alignment(a_exponent, b_exponent):
    """Return the factors by which ADD multiplies its operands, having seen that they are exact."""
    factors = []
    for is_b in (False, True):
        aligned = definition.operands(EVERY, a_exponent, b_exponent, is_b).astype(np.int64)
        factor = int(aligned[-1] - aligned[-2])
        np.testing.assert_array_equal(aligned, EVERY.astype(np.int64) * factor)
        factors.append(factor)
    return factors


def pairs_of_every_sum(ratio_a, ratio_b, sign):
    """Return operands int16 (N,) whose sums ``ratio_a * a + sign * ratio_b * b`` are all there are.

    The smaller ratio is 1. With b at either end and a anywhere, and then b anywhere and a at
    either end, a path of pairs goes through every sum.
    """
    assert min(ratio_a, ratio_b) == 1
    if ratio_a == 1:
        fine, coarse = EVERY, EVERY
        a = np.concatenate([np.tile(fine[: ratio_b + 1], len(coarse)), fine, fine])
        b = np.repeat(coarse, ratio_b + 1)
        b = np.concatenate([b, np.full(len(fine), -32768), np.full(len(fine), 32767)])
    else:
        b, a = pairs_of_every_sum(ratio_b, ratio_a, sign)
    return a.astype(np.int16), b.astype(np.int16)


@pytest.mark.parametrize("scale", FOUND.sums, ids=ids)
def test_sums_of_every_pair(scale):
    a_exponent, b_exponent, out, sign = scale
    factor_a, factor_b = alignment(a_exponent, b_exponent)
    unit = min(factor_a, factor_b)
    ratio_a, ratio_b = factor_a // unit, factor_b // unit
    a, b = pairs_of_every_sum(ratio_a, ratio_b, sign)
    sums = ratio_a * a.astype(np.int64) + sign * ratio_b * b.astype(np.int64)
    # Nothing is left out: from the least to the largest sum, one by one.
    least = -32768 * ratio_a - (32768 if sign == 1 else 32767) * ratio_b
    largest = 32767 * ratio_a + (32767 if sign == 1 else 32768) * ratio_b
    np.testing.assert_array_equal(np.unique(sums), np.arange(least, largest + 1))
    expected = definition.totals((sums * unit).astype(np.int32), a_exponent, b_exponent, out)
    actual = reduced_sum(sign)(a, a_exponent, b, b_exponent, out)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(
        definition.sums(a, b, a_exponent, b_exponent, out, sign), expected
    )


def steps(function):
    """Return where a rising function of -2^30..2^30 reaches each of its values, int64 (N,)."""
    ends = np.array([-LARGEST_PRODUCT, LARGEST_PRODUCT])
    first, last = (int(v) for v in function(ends))
    wanted = np.arange(first + 1, last + 1)
    below = np.full(len(wanted), ends[0])
    at = np.full(len(wanted), ends[1])
    while (at - below > 1).any():
        middle = (below + at) // 2
        reached = function(middle) >= wanted
        at, below = np.where(reached, middle, at), np.where(reached, below, middle)
    return at


@pytest.mark.parametrize("scale", FOUND.products, ids=ids)
def test_products_of_every_pair(scale):
    a_exponent, b_exponent, out = scale

    def defined(product):
        return definition.products(product.astype(np.int32), a_exponent, b_exponent, out)

    def reduced(product):
        # The product of itself and 1.
        return multiply(product, a_exponent, np.ones_like(product), b_exponent, out)

    at = steps(defined)
    shift = out - a_exponent - b_exponent
    # As many steps as there are results: 2^30 / 2^shift on either side of zero, or all of int16.
    assert len(at) == min(65535, 2 * LARGEST_PRODUCT >> shift)
    around = np.concatenate([at - 1, at, [-LARGEST_PRODUCT, LARGEST_PRODUCT]])
    np.testing.assert_array_equal(reduced(around), defined(around))
    np.testing.assert_array_equal(steps(reduced), at)


@pytest.mark.parametrize("scale", FOUND.conversions, ids=ids)
def test_conversions_of_every_value(scale):
    np.testing.assert_array_equal(requantize(EVERY, *scale), definition.requantized(EVERY, *scale))


@pytest.mark.parametrize(("kind", "exponent", "out"), FOUND.tables)
def test_tables_of_every_value(kind, exponent, out):
    assert out == -15
    reduced = {"logistic": logistic, "tanh": tanh}[kind]
    expected = definition.table(kind, EVERY, exponent)
    np.testing.assert_array_equal(reduced(EVERY, exponent), expected)


# Two texts of the definition, one in C and one in Python's integers, must say the same too.


@settings(max_examples=300, deadline=None, derandomize=True)
@given(INT16, INT16, st.sampled_from(FOUND.sums))
def test_both_texts_agree_on_sums(a, b, scale):
    a_exponent, b_exponent, out, sign = scale
    actual = definition.sums(
        np.array([a], np.int16), np.array([b], np.int16), a_exponent, b_exponent, out, sign
    )
    assert actual[0] == exact.total(a, a_exponent, b, b_exponent, out, sign)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(INT16, INT16, st.sampled_from(FOUND.products))
def test_both_texts_agree_on_products(a, b, scale):
    actual = definition.products(np.array([a * b], np.int32), *scale)
    assert actual[0] == exact.product(a, scale[0], b, *scale[1:])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(INT16, st.sampled_from(FOUND.conversions))
def test_both_texts_agree_on_conversions(x, scale):
    actual = definition.requantized(np.array([x], np.int16), *scale)
    assert actual[0] == exact.requantized(x, *scale)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.floats(2.0**-60, 2.0**20))
def test_both_texts_agree_on_multipliers(real):
    assert definition.factor(real) == exact.quantize_multiplier(real)
