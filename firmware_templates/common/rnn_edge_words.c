/*
 * int16 weights by int16 activations, in blocks of 4 rows by 4 columns as of rnn_edge_packing.h.
 */
#include "rnn_edge_kernels.h"

#if RNN_EDGE_HAS_WORDS && !defined(RNN_EDGE_DSP)

#include <string.h>

#include "rnn_edge_fixedpoint.h"

enum { SIDE = 4, BLOCK = SIDE * SIDE };

/* So many blocks side by side: for two columns of each the two weights of each row. */
static void add_blocks(const int16_t *weights, const int16_t *x, uint32_t blocks, int32_t *sums) {
    int32_t a = sums[0];
    int32_t b = sums[1];
    int32_t c = sums[2];
    int32_t d = sums[3];
    for (uint32_t pairs = 2U * blocks; pairs != 0U; --pairs) {
        const int32_t left = x[0];
        const int32_t right = x[1];
        a += weights[0] * left + weights[1] * right;
        b += weights[2] * left + weights[3] * right;
        c += weights[4] * left + weights[5] * right;
        d += weights[6] * left + weights[7] * right;
        weights += BLOCK / 2;
        x += SIDE / 2;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

void rnn_edge_words_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                           uint32_t count, const int16_t *x, int16_t *out) {
    const uint32_t whole = matrix->columns / SIDE;
    const uint32_t left = matrix->columns % SIDE;
    const uint32_t strip = BLOCK * (left == 0U ? whole : whole + 1U);
    const uint32_t strips = gate * ((matrix->rows + (SIDE - 1U)) / SIDE) + first / SIDE;
    const int16_t *weights = (const int16_t *)matrix->weights + (size_t)strips * strip;
    int16_t end[SIDE] = {0};
    memcpy(end, x + SIDE * whole, left * sizeof *x);
    for (uint32_t done = 0; done < count; done += SIDE) {
        const uint32_t row = gate * matrix->rows + first + done;
        int32_t sums[SIDE] = {0};
        add_blocks(weights, x, whole, sums);
        if (left != 0U) {
            add_blocks(weights + BLOCK * whole, end, 1, sums);
        }
        for (uint32_t k = 0; k < SIDE && done + k < count; ++k) {
            out[done + k] =
                rnn_edge_narrow_result(sums[k] + matrix->narrow_bias[row + k],
                                       matrix->multipliers[row + k], matrix->narrow_shift);
        }
        weights += strip;
    }
}

#endif
