/*
 * rnn_edge_gru_units.c by the instructions of rnn_edge_dsp.h.
 */
#include "rnn_edge_activation_dsp.h"
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_DSP)

enum { STRIDE = RNN_EDGE_UNITS_AT_ONCE };

static inline int16_t gru_unit(const rnn_edge_constants *k, int32_t h, const int16_t *gx,
                               const int16_t *gh) {
    /* A sum that an int16 would not hold is beyond where the functions are flat. */
    const uint32_t r = rnn_edge_gate(k, (int32_t)gx[0] + gh[0]);
    const uint32_t z = rnn_edge_gate(k, (int32_t)gx[STRIDE] + gh[STRIDE]);
    const int32_t gated = rnn_edge_gate_times(k, r, gh[2 * STRIDE]);
    const int32_t n = rnn_edge_tanh_of_sum(k, gx[2 * STRIDE] + gated);

    /* Half of the difference, ties away from zero. */
    const int32_t difference = h - n;
    const int32_t half = (difference + (int32_t)(~(uint32_t)difference >> 31)) >> 1;
    return (int16_t)rnn_edge_ssat16(n + rnn_edge_gate_times(k, z, half) * 2);
}

void rnn_edge_gru_units(uint32_t count, const int16_t *gx, const int16_t *gh, const int16_t *h,
                        int16_t *next) {
    const rnn_edge_constants k = rnn_edge_constants_now();
    for (const int16_t *end = h + count; h != end; ++h) {
        *next++ = gru_unit(&k, *h, gx++, gh++);
    }
}

#endif
