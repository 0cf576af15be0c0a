/*
 * The simple recurrent network: h' = tanh(gx + gh).
 *
 * Scales: gx and gh 2^-11, argument of tanh 2^-13, h 2^-15.
 */
#include <string.h>

#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_kernels.h"

void rnn_edge_rnn_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                       int16_t *scratch) {
    const uint32_t units = layer->units;
    for (uint32_t j = 0; j < units; ++j) {
        int16_t gx;
        int16_t gh;
        rnn_edge_matrix_rows(&layer->x, j, 1, 1, x, &gx);
        rnn_edge_matrix_rows(&layer->h, j, 1, 1, state, &gh);
        /* The units after this one still need the old state. */
        scratch[j] = rnn_edge_tanh(rnn_edge_saturate32(((int32_t)gx + gh) * 4));
    }
    memcpy(state, scratch, units * sizeof *state);
}
