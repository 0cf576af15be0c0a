/* Calls the definitions over arrays. */
#include "rounding_definition.h"

#include <stddef.h>

#include "rnn_edge_activation.h"

__extension__ typedef __int128 wide;

void definition_operands(const int16_t *x, size_t count, int a_exponent, int b_exponent, int is_b,
                         int32_t *out);
void definition_totals(const int32_t *x, size_t count, int a_exponent, int b_exponent,
                       int out_exponent, int16_t *out);
void definition_sums(const int16_t *a, const int16_t *b, size_t count, int a_exponent,
                     int b_exponent, int out_exponent, int sign, int16_t *out);
void definition_products(const int32_t *x, size_t count, int a_exponent, int b_exponent,
                         int out_exponent, int16_t *out);
void definition_requantized(const int16_t *x, size_t count, int from, int to, int16_t *out);
void definition_logistic(const int16_t *x, size_t count, int exponent, int16_t *out);
void definition_tanh(const int16_t *x, size_t count, int exponent, int16_t *out);
void definition_rows(const int64_t *sums, size_t streams, size_t rows, const float *weight_scale,
                     int in_exponent, int out_exponent, int is_reduced, int16_t *out);
void definition_factor(double real, int32_t *q31, int32_t *exponent);

void definition_factor(double real, int32_t *q31, int32_t *exponent) {
    const factor f = factor_of(real);
    *q31 = f.q31;
    *exponent = f.exponent;
}

void definition_operands(const int16_t *x, size_t count, int a_exponent, int b_exponent, int is_b,
                         int32_t *out) {
    const sum_factors f = sum_factors_of(a_exponent, b_exponent, 0);
    for (size_t k = 0; k < count; ++k) {
        out[k] = sum_operand(x[k], is_b ? f.b : f.a);
    }
}

void definition_totals(const int32_t *x, size_t count, int a_exponent, int b_exponent,
                       int out_exponent, int16_t *out) {
    const sum_factors f = sum_factors_of(a_exponent, b_exponent, out_exponent);
    for (size_t k = 0; k < count; ++k) {
        out[k] = sum_result(x[k], f.out);
    }
}

void definition_sums(const int16_t *a, const int16_t *b, size_t count, int a_exponent,
                     int b_exponent, int out_exponent, int sign, int16_t *out) {
    const sum_factors f = sum_factors_of(a_exponent, b_exponent, out_exponent);
    for (size_t k = 0; k < count; ++k) {
        out[k] = sum_result(sum_operand(a[k], f.a) + sign * sum_operand(b[k], f.b), f.out);
    }
}

void definition_products(const int32_t *x, size_t count, int a_exponent, int b_exponent,
                         int out_exponent, int16_t *out) {
    const factor f = product_factor(a_exponent, b_exponent, out_exponent);
    for (size_t k = 0; k < count; ++k) {
        out[k] = clamp16(rescale(x[k], f));
    }
}

void definition_requantized(const int16_t *x, size_t count, int from, int to, int16_t *out) {
    const factor f = factor_of(ldexp(1.0, from) / ldexp(1.0, to));
    for (size_t k = 0; k < count; ++k) {
        out[k] = clamp16(rescale(x[k], f));
    }
}

/* LOGISTIC and TANH bring their input to 3 * 2^12 per unit by a multiplier of 15 bits. */
static int32_t table_position(int16_t x, int exponent) {
    double real = ldexp(3.0 * 4096.0, exponent);
    int left = 0;
    while (real <= 32767.0 / 2.0 && left <= 30) {
        real *= 2.0;
        ++left;
    }
    const int32_t half = left > 0 ? (int32_t)1 << (left - 1) : 0;
    return ((int32_t)x * (int32_t)real + half) >> left;
}

/* The table at |position| / 2^bits with linear interpolation, or `end` where it has ended. */
static int32_t between(int32_t position, int bits, int32_t end) {
    const uint32_t magnitude = (uint32_t)(position < 0 ? -position : position);
    const uint32_t index = magnitude >> bits;
    if (index >= RNN_EDGE_SIGMOID_ENTRIES - 1) {
        return end;
    }
    const int32_t low = rnn_edge_sigmoid_table[index];
    const int32_t high = rnn_edge_sigmoid_table[index + 1];
    const int32_t fraction = (int32_t)(magnitude & ((UINT32_C(1) << bits) - 1U));
    return (int32_t)((uint32_t)low << bits) + fraction * (high - low);
}

void definition_logistic(const int16_t *x, size_t count, int exponent, int16_t *out) {
    for (size_t k = 0; k < count; ++k) {
        const int32_t position = table_position(x[k], exponent);
        const int32_t value = between(position, 9, 0x7FFF << 10);
        const int32_t mirrored =
            position >= 0 ? value + (1 << 9) : (1 << 25) - value + (1 << 9) - 1;
        out[k] = (int16_t)(mirrored >> 10);
    }
}

void definition_tanh(const int16_t *x, size_t count, int exponent, int16_t *out) {
    for (size_t k = 0; k < count; ++k) {
        const int32_t position = table_position(x[k], exponent);
        const int32_t value = between(position, 8, 0xFFFF << 8);
        const int32_t signed_value =
            position >= 0 ? value - (1 << 23) + (1 << 7) : -value + (1 << 23) + (1 << 7) - 1;
        out[k] = (int16_t)(signed_value >> 8);
    }
}

/* FULLY_CONNECTED with int64 sums has two forms in use: one rounding with the multiplier's 31 bits,
 * or one rounding with the multiplier reduced to 16 bits first. */
static wide row_result(int64_t sum, factor f, int is_reduced) {
    if (is_reduced) {
        const int32_t reduced = f.q31 < 0x7FFF0000 ? (f.q31 + (1 << 15)) >> 16 : 0x7FFF;
        const int shift = 15 - f.exponent;
        return ((wide)sum * reduced + ((wide)1 << (shift - 1))) >> shift;
    }
    const int shift = 31 - f.exponent;
    return ((wide)sum * f.q31 + ((wide)1 << (shift - 1))) >> shift;
}

void definition_rows(const int64_t *sums, size_t streams, size_t rows, const float *weight_scale,
                     int in_exponent, int out_exponent, int is_reduced, int16_t *out) {
    const double in_scale = ldexp(1.0, in_exponent);
    const double out_scale = ldexp(1.0, out_exponent);
    for (size_t row = 0; row < rows; ++row) {
        const factor f = factor_of(in_scale * (double)weight_scale[row] / out_scale);
        for (size_t k = 0; k < streams; ++k) {
            const wide value = row_result(sums[k * rows + row], f, is_reduced);
            out[k * rows + row] = (int16_t)(value < -32768  ? -32768
                                            : value > 32767 ? 32767
                                                            : value);
        }
    }
}
