"""Multipliers and matrix products against exact fractions and integers of any size."""

from fractions import Fraction

import gemmlowp_rounding as exact
import kernel_definition as definition
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.errors import ModelError
from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.fixedpoint import (
    fully_connected,
    rescaled_bounds,
    round_scale_up,
    row_multipliers,
)
from rnn_edge.types import QuantizedMatrix

MANTISSAS = np.arange(1 << 14, 1 << 15)
"""Every multiplier there is."""
EXPONENTS = st.integers(-15, 0)
LIMIT = 1 << 47
"""Sums of the kernels are below this in magnitude."""


def power(exponent):
    return Fraction(2) ** exponent


def clamp(value):
    return max(-32768, min(32767, value))


@pytest.mark.parametrize("octave", range(-24, 8))
def test_every_mantissa_is_its_own_multiplier(octave):
    scale = np.ldexp(MANTISSAS.astype(np.float64), octave - 15).astype(np.float32)
    for in_exponent, out_exponent in ((-15, -11), (-12, -11), (-15, -15)):
        wanted = 15 - (octave + in_exponent - out_exponent)
        if not 1 <= wanted <= 46:
            with pytest.raises(ModelError, match=f"shift {wanted}"):
                row_multipliers(scale, in_exponent, out_exponent)
            continue
        multiplier, shift = row_multipliers(scale, in_exponent, out_exponent)
        np.testing.assert_array_equal(multiplier, MANTISSAS)
        assert (shift == wanted).all()


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.floats(2.0**-24, 2.0**6), EXPONENTS, EXPONENTS)
def test_a_multiplier_is_the_ratio_of_the_scales_without_a_remainder(
    value, in_exponent, out_exponent
):
    scale = round_scale_up(np.array([value]))
    real = Fraction(float(scale[0])) * power(in_exponent) / power(out_exponent)
    if not power(-32) <= real < power(14):
        with pytest.raises(ModelError, match=r"expected 1\.\.46"):
            row_multipliers(scale, in_exponent, out_exponent)
        return
    multiplier, shift = row_multipliers(scale, in_exponent, out_exponent)
    assert Fraction(int(multiplier[0]), 1 << int(shift[0])) == real
    # The runtimes come to the same, with 31 bits, whether they multiply scales as float or double.
    q31, exponent = exact.quantize_multiplier(float(real))
    assert (q31, 15 - exponent) == (int(multiplier[0]) << 16, int(shift[0]))
    narrow = np.float32(scale[0]) * np.float32(2.0**in_exponent) / np.float32(2.0**out_exponent)
    assert Fraction(float(narrow)) == real


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.floats(2.0**-24, 2.0**6))
def test_a_scale_is_rounded_up_to_the_next_odd_mantissa(value):
    found = Fraction(float(round_scale_up(np.array([value]))[0]))
    # A mantissa of 15 bits, and odd: no smaller one says the same.
    exponent = 15 - np.frexp(float(found))[1]
    whole = found / power(-int(exponent))
    assert whole.denominator == 1
    assert whole % 2 == 1
    # In units of the last of 15 bits the odd mantissas are two apart; below 2^14 + 1 comes the
    # last one of the octave below, half a unit before 2^14.
    unit = power(-int(exponent))
    before = (whole - 2) * unit if whole != (1 << 14) + 1 else Fraction((1 << 15) - 1, 2) * unit
    assert before < Fraction(value) <= found


def matrix_of(rng, rows, columns, bias_bits, exponents, spread):
    weight = rng.integers(-127, 128, (rows, columns))
    weight[0], weight[-1] = 127, -127
    scale = round_scale_up(np.exp2(rng.uniform(-10 - spread, -10, rows)))
    limit = min(1 << bias_bits, LIMIT - columns * 127 * 32768) - 1
    bias = rng.integers(-limit, limit, rows, endpoint=True)
    bias[0], bias[-1] = limit, -limit
    return QuantizedMatrix(weight, scale, bias, *exponents)


def frames_of(rng, columns):
    x = rng.integers(-32768, 32768, (24, columns))
    # Small sums too, or every row would be saturated.
    x[:12] >>= rng.integers(0, 16, (12, 1))
    x[-3:] = [[-32768], [32767], [0]]
    return x.astype(np.int16)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    columns=st.one_of(st.integers(1, 130), st.sampled_from([515, 516, 517, 2000])),
    bias_bits=st.integers(1, 47),
    exponents=st.sampled_from([(-15, -11), (-12, -11), (-15, -15), (-15, 0), (0, -11)]),
    spread=st.integers(0, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_products_equal_integers_of_any_size(columns, bias_bits, exponents, spread, seed):
    rng = np.random.default_rng(seed)
    matrix = matrix_of(rng, 5, columns, bias_bits, exponents, spread)
    x = frames_of(rng, columns)
    multiplier, shift = row_multipliers(matrix.weight_scale, *exponents)
    actual = fully_connected(x, matrix.weight.astype(np.float64), matrix.bias, multiplier, shift)
    sums = x.astype(object) @ matrix.weight.T.astype(object) + matrix.bias.astype(object)
    for row, scale in enumerate(matrix.weight_scale):
        real = Fraction(float(scale)) * power(exponents[0]) / power(exponents[1])
        for t, total in enumerate(sums[:, row]):
            # To nearest, ties towards plus infinity.
            assert actual[t, row] == clamp((2 * total * real + 1) // 2), (t, row, total)
    # The two forms that runtimes have, one with 31 bits and one with 16.
    for is_reduced in (False, True):
        defined = definition.rows(sums, matrix.weight_scale, *exponents, is_reduced)
        np.testing.assert_array_equal(defined, actual)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    total=st.one_of(
        st.integers(1 - LIMIT, LIMIT - 1), st.sampled_from([1 - LIMIT, -1, 0, 1, LIMIT - 1])
    ),
    mantissa=st.one_of(st.integers(1 << 14, (1 << 15) - 1), st.sampled_from([1 << 14, 0x7FFF])),
    shift=st.integers(1, 46),
)
def test_sums_up_to_the_limit_do_not_overflow(total, mantissa, shift):
    weight, x = np.zeros((1, 1)), np.zeros((1, 1), np.int16)
    actual = fully_connected(x, weight, np.array([total]), np.array([mantissa]), np.array([shift]))
    assert actual[0, 0] == clamp((total * mantissa + (1 << (shift - 1))) >> shift)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    columns=st.integers(1, 130),
    bias_bits=st.integers(1, 46),
    spread=st.integers(0, 14),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_multipliers_of_the_c_say_the_same(columns, bias_bits, spread, seed):
    rng = np.random.default_rng(seed)
    matrix = matrix_of(rng, 6, columns, bias_bits, (-15, -11), spread)
    found = c_matrix(matrix, "m")
    shifts = [found.narrow_shift] * 6 if found.is_narrow else found.wide_shift.tolist()
    for multiplier, shift, scale in zip(
        found.multiplier.tolist(), shifts, matrix.weight_scale.tolist(), strict=True
    ):
        assert Fraction(multiplier, 1 << shift) == Fraction(scale) * power(-15) / power(-11)
        assert 0 < multiplier < 1 << 31
    if found.is_narrow:
        assert 32 <= found.narrow_shift <= 46
        # What the kernel computes in an int64: sum, multiplier and half.
        assert (1 << 31) * int(found.multiplier.max()) + (1 << 45) < 1 << 63


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    columns=st.integers(1, 130),
    bias_bits=st.integers(1, 46),
    spread=st.integers(0, 14),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_input_brings_a_result_beyond_its_bound(columns, bias_bits, spread, seed):
    rng = np.random.default_rng(seed)
    matrix = matrix_of(rng, 4, columns, bias_bits, (-15, -11), spread)
    for weight, bias, scale, bound in zip(
        matrix.weight.astype(object),
        matrix.bias.tolist(),
        matrix.weight_scale.tolist(),
        rescaled_bounds(matrix),
        strict=True,
    ):
        real = Fraction(scale) * power(-15) / power(-11)
        for sign in (-1, 1):
            x = [-32768 if w * sign < 0 else 32767 for w in weight]
            total = sum(w * value for w, value in zip(weight, x, strict=True)) + bias
            assert abs((2 * total * real + 1) // 2) <= bound
        # int16 ends at 32767 on one side: the bound is above what is reached by one per weight.
        reach = int(sum(abs(weight))) * 32768 + abs(bias)
        assert bound <= reach * real + Fraction(1, 2)


def test_both_forms_of_the_c_were_met():
    rng = np.random.default_rng(0)
    assert c_matrix(matrix_of(rng, 6, 40, 20, (-15, -11), 3), "m").is_narrow
    assert not c_matrix(matrix_of(rng, 6, 40, 40, (-15, -11), 3), "m").is_narrow
