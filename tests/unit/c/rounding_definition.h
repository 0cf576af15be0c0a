/*
 * The rounding of TFLite's int16 kernels as it is defined: multipliers with 31 bits, two roundings,
 * nothing reduced to shifts. Shares no line with the kernel library that is held against it.
 */
#ifndef ROUNDING_DEFINITION_H
#define ROUNDING_DEFINITION_H

#include <math.h>
#include <stdint.h>

/* The real number q31 * 2^(exponent - 31); q31 is 2^30 to 2^31 - 1. */
typedef struct {
    int32_t q31;
    int exponent;
} factor;

static inline factor factor_of(double real) {
    int exponent = 0;
    int64_t q31 = (int64_t)floor(frexp(real, &exponent) * 2147483648.0 + 0.5);
    if (q31 == INT64_C(1) << 31) {
        q31 /= 2;
        ++exponent;
    }
    return (factor){(int32_t)q31, exponent};
}

/* The upper word of 2 * a * b, to nearest, ties towards plus infinity. */
static inline int32_t doubling_high_multiply(int32_t a, int32_t b) {
    if (a == INT32_MIN && b == INT32_MIN) {
        return INT32_MAX;
    }
    const int64_t product = (int64_t)a * (int64_t)b;
    const int64_t nudge = product >= 0 ? INT64_C(1) << 30 : 1 - (INT64_C(1) << 30);
    return (int32_t)((product + nudge) / (INT64_C(1) << 31));
}

/* x / 2^bits to nearest, ties away from zero; bits 0..31. */
static inline int32_t divide_by_power_of_two(int32_t x, int bits) {
    const int32_t mask = (int32_t)((INT64_C(1) << bits) - 1);
    const int32_t remainder = x & mask;
    const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
    return (x >> bits) + (remainder > threshold ? 1 : 0);
}

/* x times a factor, in two roundings. */
static inline int32_t rescale(int32_t x, factor f) {
    const int left = f.exponent > 0 ? f.exponent : 0;
    const int right = f.exponent > 0 ? 0 : -f.exponent;
    return divide_by_power_of_two(doubling_high_multiply(x * (1 << left), f.q31), right);
}

static inline int16_t clamp16(int32_t x) {
    return (int16_t)(x < -32768 ? -32768 : x > 32767 ? 32767 : x);
}

/* ADD and SUB bring both operands, times 2^15, to twice the larger scale. */
typedef struct {
    factor a;
    factor b;
    factor out;
} sum_factors;

static inline sum_factors sum_factors_of(int a_exponent, int b_exponent, int out_exponent) {
    const double a = ldexp(1.0, a_exponent);
    const double b = ldexp(1.0, b_exponent);
    const double twice = 2.0 * fmax(a, b);
    return (sum_factors){
        factor_of(a / twice),
        factor_of(b / twice),
        factor_of(twice / (32768.0 * ldexp(1.0, out_exponent))),
    };
}

static inline int32_t sum_operand(int16_t x, factor f) {
    return rescale((int32_t)x * 32768, f);
}

static inline int16_t sum_result(int32_t total, factor f) {
    return clamp16(rescale(total, f));
}

static inline factor product_factor(int a_exponent, int b_exponent, int out_exponent) {
    return factor_of(ldexp(1.0, a_exponent) * ldexp(1.0, b_exponent) / ldexp(1.0, out_exponent));
}

#endif
