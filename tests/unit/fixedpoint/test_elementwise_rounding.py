import gemmlowp_rounding as exact
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_operator import run_operator

from rnn_edge.errors import ModelError
from rnn_edge.exporters.tflite_graph import Operator
from rnn_edge.fixedpoint import add, multiply, requantize, subtract

EVERY = np.arange(-32768, 32768).astype(np.int16)
MAGNITUDES = (1, 2, 3, 255, 256, 257, 4096, 16383, 16384, 16385, 32766, 32767)
CORNERS = np.array([-32768, *(-m for m in MAGNITUDES), 0, *MAGNITUDES], np.int16)
PAIR_A = np.repeat(CORNERS, len(CORNERS))
PAIR_B = np.tile(CORNERS, len(CORNERS))
CELL = range(-14, -5)

# Every combination of scales in the cells' programs: (a, b, out).
SUMS = [(-11, -11, -11), (-11, -11, -13), (-15, -14, -15), *((c, c, c) for c in CELL)]
DIFFERENCES = [(-15, -15, -14)]
PRODUCTS = [
    (-15, -11, -11),
    (-15, -14, -14),
    (-15, -15, -15),
    *((-15, c, c) for c in CELL),
    *((-15, -15, c) for c in CELL),
]
CONVERSIONS = [(-11, -13), *((c, -13) for c in CELL)]
KERNELS = ["BUILTIN_WITHOUT_DEFAULT_DELEGATES", "BUILTIN_REF"]
INT16 = st.integers(-32768, 32767)


def sample(seed):
    """Pairs that hold every int16 on one side, the corners, and ties of every shift."""
    rng = np.random.default_rng(seed)
    powers = (1 << np.arange(15)).astype(np.int16)
    near = np.concatenate([powers - 1, powers, powers + 1, -powers, 1 - powers, -powers - 1])
    a = np.concatenate([EVERY, PAIR_A, np.repeat(near, len(near))])
    b = np.concatenate([rng.permutation(EVERY), PAIR_B, np.tile(near, len(near))])
    return a.astype(np.int16), b.astype(np.int16)


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
@given(INT16, INT16, st.sampled_from(SUMS + DIFFERENCES), st.sampled_from([1, -1]))
def test_sums_equal_the_transcription(a, b, scales, sign):
    a_exponent, b_exponent, out = scales
    function = add if sign == 1 else subtract
    expected = exact.total(a, a_exponent, b, b_exponent, out, sign)
    assert one(function, a, a_exponent, b, b_exponent, out) == expected


@pytest.mark.parametrize("scales", PRODUCTS)
def test_multiply_equals_the_transcription_at_the_corners(scales):
    a_exponent, b_exponent, out = scales
    actual = multiply(PAIR_A, a_exponent, PAIR_B, b_exponent, out)
    expected = [
        exact.product(int(a), a_exponent, int(b), b_exponent, out)
        for a, b in zip(PAIR_A, PAIR_B, strict=True)
    ]
    np.testing.assert_array_equal(actual, expected)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(INT16, INT16, st.sampled_from(PRODUCTS))
def test_products_equal_the_transcription(a, b, scales):
    a_exponent, b_exponent, out = scales
    expected = exact.product(a, a_exponent, b, b_exponent, out)
    assert one(multiply, a, a_exponent, b, b_exponent, out) == expected


@pytest.mark.parametrize("scales", CONVERSIONS)
def test_requantize_equals_the_transcription_over_every_input(scales):
    expected = [exact.requantized(int(x), *scales) for x in EVERY]
    np.testing.assert_array_equal(requantize(EVERY, *scales), expected)


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize(
    ("code", "options", "version", "function", "scales"),
    [
        *(("ADD", "AddOptions", 4, add, scales) for scales in SUMS),
        *(("SUB", "SubOptions", 5, subtract, scales) for scales in DIFFERENCES),
        *(("MUL", "MulOptions", 4, multiply, scales) for scales in PRODUCTS),
    ],
)
def test_kernels_of_two_operands(code, options, version, function, scales, kernels):
    pytest.importorskip("ai_edge_litert")
    a_exponent, b_exponent, out = scales
    a, b = sample(seed=len(code) + out + 100)
    fields = () if code == "MUL" else (("potScaleInt16", 0),)
    actual = run_operator(
        Operator(code, version, options, fields),
        [(a, a_exponent), (b, b_exponent)],
        (len(a), out),
        kernels,
    )
    np.testing.assert_array_equal(actual, function(a, a_exponent, b, b_exponent, out))


@pytest.mark.parametrize("kernels", KERNELS)
@pytest.mark.parametrize("scales", CONVERSIONS)
def test_quantize_kernel_over_every_input(scales, kernels):
    pytest.importorskip("ai_edge_litert")
    actual = run_operator(
        Operator("QUANTIZE", 2, "QuantizeOptions"),
        [(EVERY, scales[0])],
        (len(EVERY), scales[1]),
        kernels,
    )
    np.testing.assert_array_equal(actual, requantize(EVERY, *scales))


def test_sums_of_scales_too_far_apart_are_refused():
    with pytest.raises(ModelError, match="more than 14 bits apart"):
        add(EVERY, -15, EVERY, 0, -15)
