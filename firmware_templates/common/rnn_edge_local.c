/*
 * A layer of which every stretch of inputs has the same units with the same weights: the cell of
 * one stretch is taken along all of them.
 */
#include "rnn_edge_kernels.h"

void rnn_edge_local_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                         int16_t *scratch) {
    const rnn_edge_local *local = layer->local;
    const rnn_edge_layer *one = &local->layer;
    const int16_t *heard = x + local->first;
    int16_t *own = state;
    for (uint32_t k = 0; k < local->stretches; ++k) {
        one->step(one, heard, own, scratch);
        heard += local->step;
        own += one->state_values;
    }
}
