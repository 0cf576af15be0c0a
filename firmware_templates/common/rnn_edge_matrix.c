/*
 * int8 weights by int16 activations, row by row. Nearly all of a step's time is spent in a product;
 * where a target has better instructions it has its own, on blocks, and must give the same bits.
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

static int16_t wide_row(const rnn_edge_matrix *matrix, uint32_t row, const int16_t *x) {
    const int8_t *weights = (const int8_t *)matrix->weights + (size_t)row * matrix->columns;
    const int64_t sum = wide_sum(weights, x, matrix->columns) + matrix->wide_bias[row];
    const unsigned shift = matrix->wide_shifts[row];
    const int64_t scaled = sum * matrix->multipliers[row] + ((int64_t)1 << (shift - 1U));
    return rnn_edge_saturate64(rnn_edge_floor_shift64(scaled, shift));
}

void rnn_edge_rows_wide(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                        uint32_t count, const int16_t *x, int16_t *out) {
    const uint32_t row = gate * matrix->rows + first;
    for (uint32_t k = 0; k < count; ++k) {
        out[k] = wide_row(matrix, row + k, x);
    }
}

#if !defined(RNN_EDGE_MVE)

enum { AT_ONCE = 4 };

/* The sums of four rows that follow each other: each input is loaded once for all of them. */
static void four_sums(const int8_t *weights, const int16_t *x, uint32_t columns, int32_t *sums) {
    const int8_t *second = weights + columns;
    const int8_t *third = second + columns;
    const int8_t *fourth = third + columns;
    const int16_t *end = x + columns;
    int32_t s0 = 0;
    int32_t s1 = 0;
    int32_t s2 = 0;
    int32_t s3 = 0;
    while (x != end) {
        const int32_t value = *x++;
        s0 += *weights++ * value;
        s1 += *second++ * value;
        s2 += *third++ * value;
        s3 += *fourth++ * value;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
}

void rnn_edge_rows_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                          uint32_t count, const int16_t *x, int16_t *out) {
    const uint32_t columns = matrix->columns;
    const uint32_t row = gate * matrix->rows + first;
    const int8_t *weights = (const int8_t *)matrix->weights + (size_t)row * columns;
    const int32_t *bias = matrix->narrow_bias + row;
    const int32_t *multipliers = matrix->multipliers + row;
    int32_t sums[RNN_EDGE_UNITS_AT_ONCE];
    uint32_t done = 0;
    for (; done + AT_ONCE <= count; done += AT_ONCE) {
        four_sums(weights + (size_t)done * columns, x, columns, sums + done);
    }
    for (; done < count; ++done) {
        sums[done] = narrow_sum(weights + (size_t)done * columns, x, columns);
    }
    for (uint32_t k = 0; k < count; ++k) {
        out[k] = rnn_edge_narrow_result(sums[k] + bias[k], multipliers[k], matrix->narrow_shift);
    }
}

#endif
