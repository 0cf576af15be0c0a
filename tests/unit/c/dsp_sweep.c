/* The functions for two int16 in a register against the portable ones, over whole ranges. Writes
 * the number of results that differ. */
#include <stdio.h>

#include "rnn_edge_activation_dsp.h"
#include "rnn_edge_kernels.h"

#if !defined(RNN_EDGE_DSP)
#error "this processor has no such instructions"
#endif

enum { STRIDE = RNN_EDGE_UNITS_AT_ONCE, FAR = 65536 };

static unsigned long of_sums(const rnn_edge_constants *k) {
    unsigned long differing = 0;
    for (int32_t x = -FAR; x < FAR; ++x) {
        const int16_t sum = rnn_edge_saturate32(x);
        const int16_t finer = rnn_edge_saturate32(sum * 4);
        differing += rnn_edge_gate(k, x) != RNN_EDGE_GATE + (uint32_t)rnn_edge_logistic(sum);
        differing += rnn_edge_tanh_of_sum(k, x) != rnn_edge_tanh(finer);
    }
    return differing;
}

static unsigned long of_products(const rnn_edge_constants *k) {
    unsigned long differing = 0;
    for (int32_t gate = 1; gate <= INT16_MAX; gate += gate < 64 || gate > 32703 ? 1 : 511) {
        for (int32_t x = INT16_MIN; x <= INT16_MAX; ++x) {
            const int16_t expected = rnn_edge_multiply((int16_t)gate, (int16_t)x, 15);
            differing += rnn_edge_gate_times(k, RNN_EDGE_GATE + (uint32_t)gate, x) != expected;
        }
    }
    return differing;
}

/* Every cell state at every scale, with the gate of what is added as it comes. */
static unsigned long of_cells(void) {
    unsigned long differing = 0;
    int16_t gx[4 * STRIDE] = {0};
    int16_t gh[4 * STRIDE] = {0};
    for (int exponent = -15; exponent <= 0; ++exponent) {
        for (int32_t from = INT16_MIN; from <= INT16_MAX; from += STRIDE) {
            int16_t c[STRIDE];
            int16_t next[STRIDE];
            for (int32_t j = 0; j < STRIDE; ++j) {
                c[j] = (int16_t)(from + j);
                gx[j] = (int16_t)(7 * from + 3 * j);
                gx[STRIDE + j] = INT16_MAX;
                gx[2 * STRIDE + j] = (int16_t)(5 * (from + j));
                gx[3 * STRIDE + j] = INT16_MAX;
            }
            rnn_edge_lstm_units(STRIDE, exponent, gx, gh, c, next);
            for (int32_t j = 0; j < STRIDE; ++j) {
                const int16_t open = rnn_edge_logistic(INT16_MAX);
                const int16_t i = rnn_edge_logistic(gx[j]);
                const int16_t g = rnn_edge_tanh(rnn_edge_requantize(gx[2 * STRIDE + j], -11, -13));
                const int16_t kept = rnn_edge_multiply(open, (int16_t)(from + j), 15);
                const int16_t added = rnn_edge_multiply(i, g, (unsigned)(exponent + 30));
                const int16_t cell = rnn_edge_add(kept, added);
                const int16_t squashed = rnn_edge_tanh(rnn_edge_requantize(cell, exponent, -13));
                differing += c[j] != cell;
                differing += next[j] != rnn_edge_multiply(open, squashed, 15);
            }
        }
    }
    return differing;
}

int main(void) {
    const rnn_edge_constants k = rnn_edge_constants_now();
    printf("%lu %lu %lu\n", of_sums(&k), of_products(&k), of_cells());
    return 0;
}
