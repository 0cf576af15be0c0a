/*
 * What rnn_edge_kept.c says, by the instructions of rnn_edge_dsp.h: inputs go from where they are
 * into two registers, by twos, and from there into the sums of four rows.
 */
#include "rnn_edge_dsp.h"
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_DSP) && defined(RNN_EDGE_MOST_KEPT)

#include "rnn_edge_fixedpoint.h"

enum { SIDE = 4, BYTES = 16 };

/* The inputs of a block's four columns. */
typedef struct {
    uint32_t left;
    uint32_t right;
} inputs;

static inline uint32_t pair(const int16_t *x, uint32_t low, uint32_t high) {
    return (uint32_t)(uint16_t)x[low] | ((uint32_t)(uint16_t)x[high] << 16U);
}

static inline inputs inputs_of(const uint8_t *columns, const int16_t *x) {
    const inputs found = {pair(x, columns[0], columns[1]), pair(x, columns[2], columns[3])};
    return found;
}

/* Adds some blocks of bytes, as rnn_edge_blocks_dsp.c does: lanes of two rows, and X beside. */
static inline void add_bytes(const uint32_t *weights, const uint8_t *columns, const uint8_t *end,
                             const int16_t *x, uint32_t *sums) {
    const uint32_t weight = (128U << 16U) + 128U;
    uint32_t ab = 0;
    uint32_t b = 0;
    uint32_t cd = 0;
    uint32_t d = 0;
    uint32_t sum_128 = 0;
    do {
        const inputs now = inputs_of(columns, x);
        ab = rnn_edge_smlad(weights[0], now.left, ab);
        b = rnn_edge_smlad(rnn_edge_upper_bytes(weights[0]), now.left, b);
        cd = rnn_edge_smlad(weights[1], now.left, cd);
        d = rnn_edge_smlad(rnn_edge_upper_bytes(weights[1]), now.left, d);
        ab = rnn_edge_smlad(weights[2], now.right, ab);
        b = rnn_edge_smlad(rnn_edge_upper_bytes(weights[2]), now.right, b);
        cd = rnn_edge_smlad(weights[3], now.right, cd);
        d = rnn_edge_smlad(rnn_edge_upper_bytes(weights[3]), now.right, d);
        sum_128 = rnn_edge_smlad(now.left, weight, sum_128);
        sum_128 = rnn_edge_smlad(now.right, weight, sum_128);
        weights += BYTES / sizeof *weights;
        columns += SIDE;
    } while (columns != end);
    sums[0] = ab - (b << 8U) - sum_128;
    sums[1] = b;
    sums[2] = cd - (d << 8U) - sum_128;
    sums[3] = d;
}

/* Adds some blocks of weights that were widened: for two columns the two weights of each row. */
static inline void add_words(const uint32_t *weights, const uint8_t *columns, const uint8_t *end,
                             const int16_t *x, uint32_t *sums) {
    uint32_t a = 0;
    uint32_t b = 0;
    uint32_t c = 0;
    uint32_t d = 0;
    do {
        const inputs now = inputs_of(columns, x);
        a = rnn_edge_smlad(weights[0], now.left, a);
        b = rnn_edge_smlad(weights[1], now.left, b);
        c = rnn_edge_smlad(weights[2], now.left, c);
        d = rnn_edge_smlad(weights[3], now.left, d);
        a = rnn_edge_smlad(weights[4], now.right, a);
        b = rnn_edge_smlad(weights[5], now.right, b);
        c = rnn_edge_smlad(weights[6], now.right, c);
        d = rnn_edge_smlad(weights[7], now.right, d);
        weights += 2 * BYTES / sizeof *weights;
        columns += SIDE;
    } while (columns != end);
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* rnn_edge_narrow_result with the shift that nearly all matrices have. */
static inline int16_t result_32(uint32_t sum, int32_t bias, int32_t multiplier) {
    return (int16_t)rnn_edge_ssat16(rnn_edge_smmulr((int32_t)sum + bias, multiplier));
}

void rnn_edge_kept_columns(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                           uint32_t count, const int16_t *x, int16_t *out) {
    const rnn_edge_kept *kept = matrix->kept;
    const uint32_t strips = (matrix->rows + (SIDE - 1U)) / SIDE;
    const uint16_t *starts = kept->starts + gate * strips + first / SIDE;
    const uint32_t row = gate * matrix->rows + first;
    const int32_t *bias = matrix->narrow_bias + row;
    const int32_t *multipliers = matrix->multipliers + row;
    const uint32_t bytes = kept->block_bytes;
    const uint32_t shift = matrix->narrow_shift;
    const uint8_t *columns = kept->columns + SIDE * *starts;
    const uint8_t *weights = (const uint8_t *)matrix->weights + *starts * bytes;
    for (uint32_t left = count; left != 0U;) {
        const uint32_t blocks = (uint32_t)starts[1] - starts[0];
        const uint8_t *end = columns + SIDE * blocks;
        const uint32_t *words = (const uint32_t *)(const void *)weights;
        uint32_t sums[SIDE];
        if (bytes == BYTES) {
            add_bytes(words, columns, end, x, sums);
        } else {
            add_words(words, columns, end, x, sums);
        }
        if (left >= SIDE && shift == 32U) {
            out[0] = result_32(sums[0], bias[0], multipliers[0]);
            out[1] = result_32(sums[1], bias[1], multipliers[1]);
            out[2] = result_32(sums[2], bias[2], multipliers[2]);
            out[3] = result_32(sums[3], bias[3], multipliers[3]);
            left -= SIDE;
        } else {
            for (uint32_t k = 0; k < SIDE && left != 0U; ++k) {
                out[k] = rnn_edge_narrow_result((int32_t)sums[k] + bias[k], multipliers[k], shift);
                --left;
            }
        }
        out += SIDE;
        bias += SIDE;
        multipliers += SIDE;
        weights += bytes * blocks;
        columns = end;
        ++starts;
    }
}

#endif
