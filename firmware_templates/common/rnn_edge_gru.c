/*
 * The gated recurrent unit whose reset gate multiplies the recurrent product:
 *
 *   r = logistic(gx_r + gh_r)    z = logistic(gx_z + gh_z)
 *   n = tanh(gx_n + r * gh_n)    h' = n + z * (h - n)
 *
 * Scales: gates 2^-11, candidate 2^-13, r, z, n and h 2^-15, h - n and z * (h - n) 2^-14.
 */
#include <string.h>

#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_kernels.h"

static int16_t gru_unit(int16_t h, const int16_t gx[3], const int16_t gh[3]) {
    const int16_t r = rnn_edge_logistic(rnn_edge_add(gx[0], gh[0]));
    const int16_t z = rnn_edge_logistic(rnn_edge_add(gx[1], gh[1]));

    const int32_t gated = rnn_edge_multiply(r, gh[2], 15);
    const int16_t n = rnn_edge_tanh(rnn_edge_saturate32((gx[2] + gated) * 4));

    /* n is never -32768, so that h - n is -65535 to 65534 and its half fits. */
    const int16_t difference = (int16_t)rnn_edge_divide_away((int32_t)h - n, 1);
    const int32_t kept = rnn_edge_multiply(z, difference, 15);
    return rnn_edge_saturate32(n + kept * 2);
}

void rnn_edge_gru_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                       int16_t *scratch) {
    const uint32_t units = layer->units;
    for (uint32_t j = 0; j < units; ++j) {
        int16_t gx[3];
        int16_t gh[3];
        rnn_edge_matrix_rows(&layer->x, j, units, 3, x, gx);
        rnn_edge_matrix_rows(&layer->h, j, units, 3, state, gh);
        /* The units after this one still need the old state. */
        scratch[j] = gru_unit(state[j], gx, gh);
    }
    memcpy(state, scratch, units * sizeof *state);
}
