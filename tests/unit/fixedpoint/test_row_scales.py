from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from single_operator import run_operator

from rnn_edge.errors import ModelError
from rnn_edge.exporters.tflite_graph import Operator
from rnn_edge.fixedpoint import fully_connected, round_scale_up, row_multipliers

KERNELS = ["BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"]
SCALES = st.floats(2.0**-24, 8.0, width=32)


def fraction(value):
    return Fraction(float(value))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SCALES)
def test_rounding_up_is_the_next_fifteen_bit_mantissa(scale):
    rounded = round_scale_up(np.array([scale]))
    assert rounded.dtype == np.float32
    value, wanted = fraction(rounded[0]), fraction(scale)
    assert wanted <= value <= wanted * (1 + Fraction(1, 1 << 14))
    assert value.numerator.bit_length() <= 15
    # The next smaller number with such a mantissa would be too small.
    mantissa, exponent = np.frexp(float(rounded[0]))
    step = Fraction(2) ** (int(exponent) - 15)
    assert value - (step if mantissa > 0.5 else step / 2) < wanted


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SCALES, st.integers(-15, 0), st.sampled_from([-15, -13, -11, -8]))
def test_multiplier_and_shift_are_the_exact_ratio(scale, input_exponent, output_exponent):
    rounded = round_scale_up(np.array([scale]))
    real = fraction(rounded[0]) * Fraction(2) ** (input_exponent - output_exponent)
    assume(Fraction(1, 1 << 32) <= real < 1 << 14)
    multiplier, shift = row_multipliers(rounded, input_exponent, output_exponent)
    assert multiplier.dtype == shift.dtype == np.int64
    assert 1 << 14 <= multiplier[0] < 1 << 15
    assert 1 <= shift[0] <= 46
    assert Fraction(int(multiplier[0]), 1 << int(shift[0])) == real


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**20])
def test_scales_outside_the_range_of_the_kernels_are_refused(scale):
    with pytest.raises(ModelError, match=r"expected 1\.\.46"):
        row_multipliers(np.array([scale], np.float32), -11, -11)


def test_rows_without_weights_get_the_smallest_scale():
    assert round_scale_up(np.zeros(2)).tolist() == [2.0**-24] * 2


def matrix(seed, rows, columns, bias_bits):
    rng = np.random.default_rng(seed)
    weight = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    weight[0] = 127
    weight[1] = -127
    scale = round_scale_up(2.0 ** rng.uniform(-18, -4, rows))
    bias = rng.integers(-(1 << bias_bits), 1 << bias_bits, rows)
    return weight, scale, bias


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.sampled_from([-12, -15]), st.sampled_from([-11, -8]))
def test_product_is_the_exact_one_rounded_once(seed, input_exponent, output_exponent):
    weight, scale, bias = matrix(seed, 4, 7, 30)
    x = np.random.default_rng(seed + 1).integers(-32768, 32768, 7).astype(np.int16)
    multiplier, shift = row_multipliers(scale, input_exponent, output_exponent)
    actual = fully_connected(x, weight.astype(np.float64), bias, multiplier, shift)
    for n in range(4):
        accumulator = sum(int(w) * int(v) for w, v in zip(weight[n], x, strict=True)) + int(bias[n])
        real = accumulator * fraction(scale[n]) * Fraction(2) ** (input_exponent - output_exponent)
        nearest = (real + Fraction(1, 2)).__floor__()
        assert actual[n] == max(-32768, min(32767, nearest))


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize(("columns", "bias_bits"), [(1, 20), (40, 30), (64, 31), (256, 31)])
def test_kernel_of_the_product(columns, bias_bits, extreme, kernels):
    pytest.importorskip("ai_edge_litert")
    weight, scale, bias = matrix(columns, 64, columns, bias_bits)
    rng = np.random.default_rng(5)
    x = rng.integers(-32768, 32768, columns).astype(np.int16)
    if extreme:
        x[:] = -32768
    rows = scale.astype(np.float64)
    actual = run_operator(
        Operator("FULLY_CONNECTED", 5, "FullyConnectedOptions"),
        [(x, -12)],
        (64, -11),
        kernels,
        [(weight, rows), (bias, rows * 2.0**-12)],
    )
    multiplier, shift = row_multipliers(scale, -12, -11)
    expected = fully_connected(x, weight.astype(np.float64), bias, multiplier, shift)
    np.testing.assert_array_equal(actual, expected)
