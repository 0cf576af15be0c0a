/*
 * int8 weights by int16 activations. Nearly all of a step's time is spent in here; a target with
 * better instructions replaces this file and must give the same bits.
 */
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_kernels.h"

static int32_t narrow_sum(const int8_t *weights, const int16_t *x, uint32_t columns) {
    int32_t sum = 0;
    for (uint32_t k = 0; k < columns; ++k) {
        sum += (int32_t)weights[k] * (int32_t)x[k];
    }
    return sum;
}

/* The products of up to 256 columns fit an int32_t: 256 * 128 * 32768 = 2^30. */
enum { WIDE_BLOCK = 256 };

static int64_t wide_sum(const int8_t *weights, const int16_t *x, uint32_t columns) {
    int64_t sum = 0;
    for (uint32_t k = 0; k < columns; k += WIDE_BLOCK) {
        const uint32_t left = columns - k;
        sum += narrow_sum(weights + k, x + k, left < WIDE_BLOCK ? left : WIDE_BLOCK);
    }
    return sum;
}

static int16_t narrow_row(const rnn_edge_matrix *matrix, uint32_t row, const int16_t *x) {
    const int8_t *weights = matrix->weights + (size_t)row * matrix->columns;
    const int32_t sum = narrow_sum(weights, x, matrix->columns) + matrix->narrow_bias[row];
    /* The upper word of the product is all that is left after a shift of 32 or more. */
    const unsigned below = matrix->narrow_shift - 32U;
    const int64_t half = (int64_t)1 << (matrix->narrow_shift - 1U);
    const int64_t scaled = (int64_t)sum * matrix->multipliers[row] + half;
    const int32_t upper = (int32_t)rnn_edge_floor_shift64(scaled, 32);
    return rnn_edge_saturate32(rnn_edge_floor_shift32(upper, below));
}

static int16_t wide_row(const rnn_edge_matrix *matrix, uint32_t row, const int16_t *x) {
    const int8_t *weights = matrix->weights + (size_t)row * matrix->columns;
    const int64_t sum = wide_sum(weights, x, matrix->columns) + matrix->wide_bias[row];
    const unsigned shift = matrix->wide_shifts[row];
    const int64_t scaled = sum * matrix->multipliers[row] + ((int64_t)1 << (shift - 1U));
    return rnn_edge_saturate64(rnn_edge_floor_shift64(scaled, shift));
}

void rnn_edge_matrix_rows(const rnn_edge_matrix *matrix, uint32_t first, uint32_t stride,
                          uint32_t count, const int16_t *x, int16_t *out) {
    for (uint32_t k = 0; k < count; ++k) {
        const uint32_t row = first + k * stride;
        out[k] = matrix->wide_bias != NULL ? wide_row(matrix, row, x) : narrow_row(matrix, row, x);
    }
}
