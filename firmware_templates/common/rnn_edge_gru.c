/*
 * One time step of the gated recurrent unit whose reset gate multiplies the recurrent product.
 */
#include <string.h>

#include "rnn_edge_kernels.h"

enum { GATES = 3, STRIDE = RNN_EDGE_UNITS_AT_ONCE };

void rnn_edge_gru_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                       int16_t *scratch) {
    const uint32_t units = layer->units;
    for (uint32_t first = 0; first < units; first += STRIDE) {
        const uint32_t count = rnn_edge_units_from(first, units);
        int16_t gx[GATES * STRIDE];
        int16_t gh[GATES * STRIDE];
        rnn_edge_gates(&layer->x, 0, GATES, first, count, x, gx);
        rnn_edge_gates(&layer->h, 0, GATES, first, count, state, gh);
        /* The units after these still need the old state. */
        rnn_edge_gru_units(count, gx, gh, state + first, scratch + first);
    }
    (void)memcpy(state, scratch, units * sizeof *state);
}
