/*
 * The kernels: rows of a matrix product, and one time step of each recurrent cell.
 *
 * Plain C11: no allocation, no floating point, no library call but memcpy, no static data that is
 * written to. Buffers belong to the caller and must not overlap unless a comment says so.
 */
#ifndef RNN_EDGE_KERNELS_H
#define RNN_EDGE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A constant matrix with its bias and the factor of each row that brings the sum to the output's
 * scale. One of two forms, chosen by the generator, with the same result wherever both fit:
 *
 * narrow  wide_bias == NULL. The generator has proved for every row that
 *         sum |weight| * 32768 + |bias| < 2^31, so that no order of summation overflows an
 *         int32_t. result = (sum * multiplier + 2^(shift - 1)) >> shift, shift 32..46.
 * wide    wide_bias != NULL. As above with int64_t sums below 2^47, multipliers below 2^15 and
 *         a shift of 1..46 for each row.
 */
typedef struct {
    const int8_t *weights;      /* [rows][columns] */
    const int32_t *multipliers; /* [rows], positive */
    const int32_t *narrow_bias; /* [rows], or NULL in the wide form */
    const int64_t *wide_bias;   /* [rows], or NULL in the narrow form */
    const uint8_t *wide_shifts; /* [rows], or NULL in the narrow form */
    uint32_t rows;
    uint32_t columns;
    uint8_t narrow_shift; /* 0 in the wide form */
} rnn_edge_matrix;

/*
 * Computes `count` rows of matrix * x + bias: first, first + stride, first + 2 * stride, ...
 * Each is rounded once to nearest, ties towards plus infinity, and saturated.
 *
 * x    [columns]
 * out  [count]
 */
void rnn_edge_matrix_rows(const rnn_edge_matrix *matrix, uint32_t first, uint32_t stride,
                          uint32_t count, const int16_t *x, int16_t *out);

typedef struct rnn_edge_layer rnn_edge_layer;

/*
 * One time step of a layer.
 *
 * x        [inputs], at the scale of layer->x
 * state    read and replaced; its layout is the cell's
 * scratch  [units], overwritten; [2 * units] for rnn_edge_gru_reset_before_step
 */
typedef void rnn_edge_cell(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                           int16_t *scratch);

struct rnn_edge_layer {
    rnn_edge_cell *step;
    rnn_edge_matrix x; /* gates by inputs, rows blocked by gate, result at 2^-11 */
    rnn_edge_matrix h; /* gates by units, same */
    uint32_t units;
    uint32_t state_values;
    int8_t cell_exponent; /* LSTM: scale of the cell state is 2^cell_exponent, -15..0; else 0 */
};

/* Gates r, z, n; r multiplies the recurrent product. state: h [units] at 2^-15. */
rnn_edge_cell rnn_edge_gru_step;

/* Gates r, z, n; r multiplies the state, before the product. state: h [units] at 2^-15. */
rnn_edge_cell rnn_edge_gru_reset_before_step;

/* Gates i, f, g, o. state: h [units] at 2^-15, then c [units] at 2^cell_exponent. */
rnn_edge_cell rnn_edge_lstm_step;

/* One row per unit, no gates. state: h [units] at 2^-15. */
rnn_edge_cell rnn_edge_rnn_step;

#ifdef __cplusplus
}
#endif

#endif
