/*
 * The simple recurrent network: h' = tanh(gx + gh).
 *
 * Scales: gx and gh 2^-11, argument of tanh 2^-13, h 2^-15.
 */
#include <string.h>

#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_kernels.h"

enum { STRIDE = RNN_EDGE_UNITS_AT_ONCE };

void rnn_edge_rnn_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                       int16_t *scratch) {
    const uint32_t units = layer->units;
    for (uint32_t first = 0; first < units; first += STRIDE) {
        const uint32_t count = rnn_edge_units_from(first, units);
        int16_t gx[STRIDE];
        int16_t gh[STRIDE];
        rnn_edge_gates(&layer->x, 0, 1, first, count, x, gx);
        rnn_edge_gates(&layer->h, 0, 1, first, count, state, gh);
        for (uint32_t j = 0; j < count; ++j) {
            /* The units after these still need the old state. */
            scratch[first + j] = (int16_t)rnn_edge_tanh_of_gate(gx[j] + gh[j]);
        }
    }
    (void)memcpy(state, scratch, units * sizeof *state);
}
