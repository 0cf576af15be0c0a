/*
 * The gated recurrent unit whose reset gate multiplies the recurrent product:
 *
 *   r = logistic(gx_r + gh_r)    z = logistic(gx_z + gh_z)
 *   n = tanh(gx_n + r * gh_n)    h' = n + z * (h - n)
 *
 * Scales: gates 2^-11, candidate 2^-13, r, z, n and h 2^-15, h - n and z * (h - n) 2^-14.
 */
#include "rnn_edge_kernels.h"

#if !RNN_EDGE_HAS_UNITS

#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_gru_mixed.h"

enum { STRIDE = RNN_EDGE_UNITS_AT_ONCE };

static int16_t gru_unit(int16_t h, const int16_t *gx, const int16_t *gh) {
    const int32_t r = rnn_edge_logistic(gx[0] + gh[0]);
    const int32_t z = rnn_edge_logistic(gx[STRIDE] + gh[STRIDE]);
    const int32_t gated = rnn_edge_gated(r, gh[2 * STRIDE], 15);
    const int32_t n = rnn_edge_tanh_of_gate(gx[2 * STRIDE] + gated);
    return rnn_edge_gru_mixed(h, z, n);
}

void rnn_edge_gru_units(uint32_t count, const int16_t *gx, const int16_t *gh, const int16_t *h,
                        int16_t *next) {
    uint32_t j = 0;
#if RNN_EDGE_HAS_VECTORS
    j = rnn_edge_gru_vectors(count, gx, gh, h, next);
#endif
    for (; j < count; ++j) {
        next[j] = gru_unit(h[j], gx + j, gh + j);
    }
}

#endif
