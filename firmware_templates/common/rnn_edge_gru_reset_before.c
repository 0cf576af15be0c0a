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
#include "rnn_edge_gru_mixed.h"
#include "rnn_edge_kernels.h"

enum { STRIDE = RNN_EDGE_UNITS_AT_ONCE };

void rnn_edge_gru_reset_before_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                                    int16_t *scratch) {
    const uint32_t units = layer->units;
    int16_t *reset = scratch;
    int16_t *update = scratch + units;
    for (uint32_t first = 0; first < units; first += STRIDE) {
        const uint32_t count = rnn_edge_units_from(first, units);
        int16_t gx[2 * STRIDE];
        int16_t gh[2 * STRIDE];
        rnn_edge_gates(&layer->x, 0, 2, first, count, x, gx);
        rnn_edge_gates(&layer->h, 0, 2, first, count, state, gh);
        for (uint32_t j = 0; j < count; ++j) {
            const int32_t r = rnn_edge_logistic(gx[j] + gh[j]);
            const int32_t z = rnn_edge_logistic(gx[STRIDE + j] + gh[STRIDE + j]);
            reset[first + j] = (int16_t)rnn_edge_gated(r, state[first + j], 15);
            update[first + j] = (int16_t)z;
        }
    }
    for (uint32_t first = 0; first < units; first += STRIDE) {
        const uint32_t count = rnn_edge_units_from(first, units);
        int16_t gx[STRIDE];
        int16_t gh[STRIDE];
        rnn_edge_gates(&layer->x, 2, 1, first, count, x, gx);
        rnn_edge_gates(&layer->h, 2, 1, first, count, reset, gh);
        for (uint32_t j = 0; j < count; ++j) {
            const int32_t n = rnn_edge_tanh_of_gate(gx[j] + gh[j]);
            /* All products with the old state are done: each unit's own is all that is read. */
            state[first + j] = rnn_edge_gru_mixed(state[first + j], update[first + j], n);
        }
    }
}
