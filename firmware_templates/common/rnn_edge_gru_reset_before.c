/*
 * The gated recurrent unit whose reset gate multiplies the state before the recurrent product:
 *
 *   r = logistic(gx_r + gh_r)          z = logistic(gx_z + gh_z)
 *   n = tanh(gx_n + U_n (r * h) + c)   h' = n + z * (h - n)
 *
 * Scales: gates 2^-11, candidate 2^-13, r, z, r * h, n and h 2^-15, h - n and z * (h - n) 2^-14.
 */
#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_kernels.h"

static int16_t mixed(int16_t h, int16_t z, int16_t n) {
    /* n is never -32768, so that h - n is -65535 to 65534 and its half fits. */
    const int16_t difference = (int16_t)rnn_edge_divide_away((int32_t)h - n, 1);
    const int32_t kept = rnn_edge_multiply(z, difference, 15);
    return rnn_edge_saturate32(n + kept * 2);
}

void rnn_edge_gru_reset_before_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                                    int16_t *scratch) {
    const uint32_t units = layer->units;
    int16_t *reset = scratch;
    int16_t *update = scratch + units;
    for (uint32_t j = 0; j < units; ++j) {
        int16_t gx[2];
        int16_t gh[2];
        rnn_edge_matrix_rows(&layer->x, j, units, 2, x, gx);
        rnn_edge_matrix_rows(&layer->h, j, units, 2, state, gh);
        const int16_t r = rnn_edge_logistic(rnn_edge_add(gx[0], gh[0]));
        reset[j] = rnn_edge_multiply(r, state[j], 15);
        update[j] = rnn_edge_logistic(rnn_edge_add(gx[1], gh[1]));
    }
    for (uint32_t j = 0; j < units; ++j) {
        int16_t gx;
        int16_t gh;
        rnn_edge_matrix_rows(&layer->x, 2 * units + j, units, 1, x, &gx);
        rnn_edge_matrix_rows(&layer->h, 2 * units + j, units, 1, reset, &gh);
        const int16_t n = rnn_edge_tanh(rnn_edge_saturate32(((int32_t)gx + gh) * 4));
        /* All products with the old state are done: each unit's own is all that is left to read. */
        state[j] = mixed(state[j], update[j], n);
    }
}
