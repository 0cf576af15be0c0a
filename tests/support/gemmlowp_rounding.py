"""The rounding of TFLite's integer kernels, word for word, in Python's unbounded integers.

Written from the definition of the operations (gemmlowp ``fixedpoint.h``, TFLite's
``QuantizeMultiplier`` and the int16 reference kernels), with nothing reduced or vectorised.
"""

import math

INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def quantize_multiplier(real):
    """Return the Q31 mantissa and the power of two of a positive real number."""
    mantissa, exponent = math.frexp(real)
    q31 = math.floor(mantissa * (1 << 31) + 0.5)
    if q31 == 1 << 31:
        q31, exponent = q31 // 2, exponent + 1
    return q31, exponent


def truncating_divide(a, b):
    """Divide as C does."""
    return a // b if (a >= 0) == (b >= 0) else -(-a // b)


def doubling_high_multiply(a, b):
    """Return the high word of 2*a*b, to nearest, as 32-bit arithmetic does it."""
    if a == b == INT32_MIN:
        return INT32_MAX
    product = a * b
    nudge = (1 << 30) if product >= 0 else 1 - (1 << 30)
    return truncating_divide(product + nudge, 1 << 31)


def divide_by_power_of_two(x, exponent):
    """Return x / 2**exponent, to nearest, ties away from zero."""
    mask = (1 << exponent) - 1
    remainder = x & mask
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if remainder > threshold else 0)


def rescale(x, real):
    """Return x * real, in two roundings."""
    q31, exponent = quantize_multiplier(real)
    left, right = max(exponent, 0), max(-exponent, 0)
    return divide_by_power_of_two(doubling_high_multiply(x << left, q31), right)


def clamp(x):
    return max(-32768, min(32767, x))


def total(a, a_exponent, b, b_exponent, out_exponent, sign):
    """ADD (sign 1) and SUB (sign -1): both operands in terms of twice the larger scale."""
    twice_larger = 2.0 * max(2.0**a_exponent, 2.0**b_exponent)
    left = 15
    scaled_a = rescale(a << left, 2.0**a_exponent / twice_larger)
    scaled_b = rescale(b << left, 2.0**b_exponent / twice_larger)
    raw = scaled_a + sign * scaled_b
    return clamp(rescale(raw, twice_larger / ((1 << left) * 2.0**out_exponent)))


def product(a, a_exponent, b, b_exponent, out_exponent):
    return clamp(rescale(a * b, 2.0**a_exponent * 2.0**b_exponent / 2.0**out_exponent))


def requantized(x, in_exponent, out_exponent):
    return clamp(rescale(x, 2.0**in_exponent / 2.0**out_exponent))
