"""The reduced forms against a transcription of the kernels in Python's unbounded integers.

At every scale that a lowered program has; ``test_rounding_proofs`` covers all operands, and
``test_single_operators`` the kernels themselves.
"""

import gemmlowp_rounding as exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from program_scales import scales

from rnn_edge.errors import ModelError
from rnn_edge.fixedpoint import add, multiply, requantize, subtract

EVERY = np.arange(-32768, 32768).astype(np.int16)
MAGNITUDES = (1, 2, 3, 255, 256, 257, 4096, 16383, 16384, 16385, 32766, 32767)
CORNERS = np.array([-32768, *(-m for m in MAGNITUDES), 0, *MAGNITUDES], np.int16)
PAIR_A = np.repeat(CORNERS, len(CORNERS))
PAIR_B = np.tile(CORNERS, len(CORNERS))
FOUND = scales()
SUMS = [scale[:3] for scale in FOUND.sums]
INT16 = st.integers(-32768, 32767)


def one(function, a, a_exponent, b, b_exponent, out_exponent):
    pair = np.array([a], np.int16), np.array([b], np.int16)
    return int(function(pair[0], a_exponent, pair[1], b_exponent, out_exponent)[0])


@pytest.mark.parametrize("scales", SUMS)
def test_add_and_subtract_equal_the_transcription_at_the_corners(scales):
    a_exponent, b_exponent, out = scales
    for sign, function in ((1, add), (-1, subtract)):
        actual = function(PAIR_A, a_exponent, PAIR_B, b_exponent, out)
        expected = [
            exact.total(int(a), a_exponent, int(b), b_exponent, out, sign)
            for a, b in zip(PAIR_A, PAIR_B, strict=True)
        ]
        np.testing.assert_array_equal(actual, expected)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(INT16, INT16, st.sampled_from(SUMS), st.sampled_from([1, -1]))
def test_sums_equal_the_transcription(a, b, scales, sign):
    a_exponent, b_exponent, out = scales
    function = add if sign == 1 else subtract
    expected = exact.total(a, a_exponent, b, b_exponent, out, sign)
    assert one(function, a, a_exponent, b, b_exponent, out) == expected


@pytest.mark.parametrize("scales", FOUND.products)
def test_multiply_equals_the_transcription_at_the_corners(scales):
    a_exponent, b_exponent, out = scales
    actual = multiply(PAIR_A, a_exponent, PAIR_B, b_exponent, out)
    expected = [
        exact.product(int(a), a_exponent, int(b), b_exponent, out)
        for a, b in zip(PAIR_A, PAIR_B, strict=True)
    ]
    np.testing.assert_array_equal(actual, expected)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(INT16, INT16, st.sampled_from(FOUND.products))
def test_products_equal_the_transcription(a, b, scales):
    a_exponent, b_exponent, out = scales
    expected = exact.product(a, a_exponent, b, b_exponent, out)
    assert one(multiply, a, a_exponent, b, b_exponent, out) == expected


@pytest.mark.parametrize("scales", FOUND.conversions)
def test_requantize_equals_the_transcription(scales):
    x = np.concatenate([CORNERS, EVERY[::29]])
    expected = [exact.requantized(int(value), *scales) for value in x]
    np.testing.assert_array_equal(requantize(x, *scales), expected)


def test_sums_of_scales_too_far_apart_are_refused():
    with pytest.raises(ModelError, match="more than 14 bits apart"):
        add(EVERY, -15, EVERY, 0, -15)
