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

#include "rnn_edge_target.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rnn_edge_matrix rnn_edge_matrix;
typedef struct rnn_edge_kept rnn_edge_kept;

/*
 * Computes rows first .. first + count - 1 of a gate of matrix * x + bias. Each is rounded once to
 * nearest, ties towards plus infinity, and saturated.
 *
 * first  a multiple of RNN_EDGE_UNITS_AT_ONCE
 * count  1..RNN_EDGE_UNITS_AT_ONCE
 * x      [columns]
 * out    [count]
 */
typedef void rnn_edge_product(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                              uint32_t count, const int16_t *x, int16_t *out);

/*
 * A constant matrix with its bias and the factor of each row that brings the sum to the output's
 * scale. `product` knows which form it has; the result is the same wherever several fit:
 *
 * narrow  The generator has proved for every row that
 *         sum |weight| * 32768 + |bias| < 2^31, so that no order of summation overflows an
 *         int32_t. result = (sum * multiplier + 2^(shift - 1)) >> shift, shift 32..46.
 * wide    As above with int64_t sums below 2^47, multipliers below 2^15 and a shift of 1..46 for
 *         each row.
 *
 * and in which order its weights lie: rows, or blocks as of rnn_edge_packing.h; and whether columns
 * of zeros are left out.
 */
struct rnn_edge_matrix {
    rnn_edge_product *product;
    const void *weights;        /* int8_t [gates][rows][columns], blocks, or words */
    const int32_t *multipliers; /* [gates][rows], 1 to 2^31 - 2^16: 15 bits, and zeros */
    const int32_t *narrow_bias; /* [gates][rows], or NULL in the wide form */
    const int64_t *wide_bias;   /* [gates][rows], or NULL in the narrow form */
    const uint8_t *wide_shifts; /* [gates][rows], or NULL in the narrow form */
    uint32_t rows;              /* of a gate */
    uint32_t columns;
    uint8_t narrow_shift;      /* 0 in the wide form */
    const rnn_edge_kept *kept; /* of rnn_edge_kept_columns, or NULL: every column is there */
};

/*
 * Which columns are there where all others are zeros. Four rows of a gate that follow each other
 * are a strip, and have columns of their own: any, by fours, and each strip some. Four columns of a
 * strip are a block.
 */
struct rnn_edge_kept {
    rnn_edge_product *product; /* of a strip as if it were a matrix of its own */
    const uint16_t *starts;    /* [gates][strips of a gate] and one more: the first block of each */
    const uint8_t *columns;    /* [blocks][4] */
    uint8_t block_bytes;       /* of weights */
};

/* Weights row by row, on any target. */
rnn_edge_product rnn_edge_rows_narrow;
rnn_edge_product rnn_edge_rows_wide;

#if RNN_EDGE_HAS_BLOCKS
rnn_edge_product rnn_edge_blocks_narrow;
#endif

/* The weights as int16_t, in blocks. */
#if RNN_EDGE_HAS_WORDS
rnn_edge_product rnn_edge_words_narrow;
#endif

/* The narrow form without columns of zeros, by the product that matrix->kept names. */
#if defined(RNN_EDGE_MOST_KEPT)
rnn_edge_product rnn_edge_kept_columns;
#endif

/*
 * The rows of some units in gates first_gate .. first_gate + gates - 1.
 *
 * out  [gates][RNN_EDGE_UNITS_AT_ONCE], of which `count` values each are written
 */
void rnn_edge_gates(const rnn_edge_matrix *matrix, uint32_t first_gate, uint32_t gates,
                    uint32_t first, uint32_t count, const int16_t *x, int16_t *out);

typedef struct rnn_edge_layer rnn_edge_layer;
typedef struct rnn_edge_local rnn_edge_local;

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
    const rnn_edge_local *local; /* of rnn_edge_local_step, or NULL */
};

/*
 * Stretches of inputs that have the same units with the same weights, and a state each, one after
 * the other.
 */
struct rnn_edge_local {
    rnn_edge_layer layer; /* of one stretch, and not local */
    uint32_t first;       /* input that the first stretch begins with */
    uint32_t step;        /* inputs from one to the next */
    uint32_t stretches;
};

/* Gates r, z, n; r multiplies the recurrent product. state: h [units] at 2^-15. */
rnn_edge_cell rnn_edge_gru_step;

/* Gates r, z, n; r multiplies the state, before the product. state: h [units] at 2^-15. */
rnn_edge_cell rnn_edge_gru_reset_before_step;

/* Gates i, f, g, o. state: h [units] at 2^-15, then c [units] at 2^cell_exponent. */
rnn_edge_cell rnn_edge_lstm_step;

/* One row per unit, no gates. state: h [units] at 2^-15. */
rnn_edge_cell rnn_edge_rnn_step;

/* The cell of layer->local for each stretch; of layer->x and layer->h only the sizes count. */
rnn_edge_cell rnn_edge_local_step;

/*
 * What a cell does with the products of some units; a target may have its own form.
 *
 * count  1..RNN_EDGE_UNITS_AT_ONCE
 * gx     [gates][RNN_EDGE_UNITS_AT_ONCE], products with the input at 2^-11
 * gh     [gates][RNN_EDGE_UNITS_AT_ONCE], products with the state at 2^-11
 * h      [count], the state before the step
 * c      [count], likewise, replaced
 * next   [count], h after the step
 */
void rnn_edge_gru_units(uint32_t count, const int16_t *gx, const int16_t *gh, const int16_t *h,
                        int16_t *next);
void rnn_edge_lstm_units(uint32_t count, int cell_exponent, const int16_t *gx, const int16_t *gh,
                         int16_t *c, int16_t *next);

#if RNN_EDGE_HAS_VECTORS
/* As above, in vectors: they return how many units they did, the first ones. */
uint32_t rnn_edge_gru_vectors(uint32_t count, const int16_t *gx, const int16_t *gh,
                              const int16_t *h, int16_t *next);
uint32_t rnn_edge_lstm_vectors(uint32_t count, int cell_exponent, const int16_t *gx,
                               const int16_t *gh, int16_t *c, int16_t *next);
#endif

/* The number of units that are stepped together from `first` on. */
static inline uint32_t rnn_edge_units_from(uint32_t first, uint32_t units) {
    const uint32_t left = units - first;
    return left < RNN_EDGE_UNITS_AT_ONCE ? left : RNN_EDGE_UNITS_AT_ONCE;
}

#ifdef __cplusplus
}
#endif

#endif
