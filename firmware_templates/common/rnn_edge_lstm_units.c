/*
 * The long short-term memory cell without peepholes:
 *
 *   i, f, o = logistic(gx + gh)    g = tanh(gx_g + gh_g)
 *   c' = f * c + i * g             h' = o * tanh(c')
 *
 * Scales: gates 2^-11, argument of tanh(c') 2^-13, i, f, g, o and h 2^-15, c 2^cell_exponent.
 */
#include "rnn_edge_kernels.h"

#if !RNN_EDGE_HAS_UNITS

#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"

enum { TANH_EXPONENT = -13, UNIT_EXPONENT = -15, STRIDE = RNN_EDGE_UNITS_AT_ONCE };

/* c at the scale of tanh. Only a state that is finer than that is rounded. */
static int32_t argument_of_tanh(int32_t c, int cell_exponent) {
    const int coarser = cell_exponent - TANH_EXPONENT;
    if (coarser >= 0) {
        return c * ((int32_t)1 << coarser);
    }
    return rnn_edge_divide_twice(c, (unsigned)-coarser);
}

static int16_t lstm_unit(int16_t *c, int cell_exponent, const int16_t *gx, const int16_t *gh) {
    const int32_t i = rnn_edge_logistic(gx[0] + gh[0]);
    const int32_t f = rnn_edge_logistic(gx[STRIDE] + gh[STRIDE]);
    const int32_t g = rnn_edge_tanh_of_gate(gx[2 * STRIDE] + gh[2 * STRIDE]);
    const int32_t o = rnn_edge_logistic(gx[3 * STRIDE] + gh[3 * STRIDE]);

    const int32_t kept = rnn_edge_gated(f, *c, 15);
    const int32_t added = rnn_edge_gated(i, g, (unsigned)(cell_exponent - 2 * UNIT_EXPONENT));
    *c = rnn_edge_saturate32(kept + added);
    const int32_t squashed = rnn_edge_tanh(argument_of_tanh(*c, cell_exponent));
    return (int16_t)rnn_edge_gated(o, squashed, 15);
}

void rnn_edge_lstm_units(uint32_t count, int cell_exponent, const int16_t *gx, const int16_t *gh,
                         int16_t *c, int16_t *next) {
    uint32_t j = 0;
#if RNN_EDGE_HAS_VECTORS
    j = rnn_edge_lstm_vectors(count, cell_exponent, gx, gh, c, next);
#endif
    for (; j < count; ++j) {
        next[j] = lstm_unit(c + j, cell_exponent, gx + j, gh + j);
    }
}

#endif
