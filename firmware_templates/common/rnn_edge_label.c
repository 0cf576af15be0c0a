/*
 * From outputs to a decision.
 */
#include "rnn_edge_model.h"

uint32_t rnn_edge_label(const int16_t *y, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t k = 1; k < count; ++k) {
        if (y[k] > y[best]) {
            best = k;
        }
    }
    return best;
}
