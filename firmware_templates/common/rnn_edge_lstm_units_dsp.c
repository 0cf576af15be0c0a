/*
 * rnn_edge_lstm_units.c by the instructions of rnn_edge_dsp.h.
 */
#include "rnn_edge_activation_dsp.h"
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_DSP)

enum { TANH_EXPONENT = -13, UNIT_EXPONENT = -15, STRIDE = RNN_EDGE_UNITS_AT_ONCE };

/* What the scale of the cell state asks for: constants of two roundings, see rnn_edge_gate_times.
 */
typedef struct {
    uint32_t added_half; /* of i * g */
    uint32_t added_bits;
    uint32_t squash_factor; /* from the cell state to the argument of tanh, in the lower half; the
                               upper one is taken off the next where the state is negative */
    uint32_t squash_half;
    uint32_t squash_bits;
} cell_scale;

static cell_scale scale_of(int cell_exponent) {
    const uint32_t bits = (uint32_t)(cell_exponent - 2 * UNIT_EXPONENT);
    const uint32_t half = ((uint32_t)1 << (bits - 1U)) + 1U;
    if (cell_exponent == TANH_EXPONENT - 2) {
        return (cell_scale){half, bits, RNN_EDGE_GATE + 1U, 3, 2};
    }
    if (cell_exponent == TANH_EXPONENT - 1) {
        return (cell_scale){half, bits, 1, 1, 1};
    }
    return (cell_scale){half, bits, (uint32_t)1 << (cell_exponent - TANH_EXPONENT), 0, 0};
}

static inline int16_t lstm_unit(const rnn_edge_constants *k, const cell_scale *scale, int16_t *c,
                                const int16_t *gx, const int16_t *gh) {
    /* A sum that an int16 would not hold is beyond where the functions are flat. */
    const uint32_t f = rnn_edge_gate(k, (int32_t)gx[STRIDE] + gh[STRIDE]);
    const int32_t kept = rnn_edge_gate_times(k, f, *c);
    const uint32_t i = rnn_edge_gate(k, (int32_t)gx[0] + gh[0]);
    const int32_t g = rnn_edge_tanh_of_sum(k, (int32_t)gx[2 * STRIDE] + gh[2 * STRIDE]);
    const int32_t added =
        (int32_t)rnn_edge_smlad(i, (uint32_t)g, scale->added_half) >> scale->added_bits;
    const int32_t cell = rnn_edge_ssat16(kept + added);
    *c = (int16_t)cell;

    const uint32_t finer = rnn_edge_smlad(scale->squash_factor, (uint32_t)cell, scale->squash_half);
    const int32_t squashed = rnn_edge_tanh_of(k, (int32_t)finer >> scale->squash_bits);
    const uint32_t o = rnn_edge_gate(k, (int32_t)gx[3 * STRIDE] + gh[3 * STRIDE]);
    return (int16_t)rnn_edge_gate_times(k, o, squashed);
}

void rnn_edge_lstm_units(uint32_t count, int cell_exponent, const int16_t *gx, const int16_t *gh,
                         int16_t *c, int16_t *next) {
    const rnn_edge_constants k = rnn_edge_constants_now();
    const cell_scale scale = scale_of(cell_exponent);
    for (const int16_t *end = c + count; c != end; ++c) {
        *next++ = lstm_unit(&k, &scale, c, gx++, gh++);
    }
}

#endif
