/*
 * What the images of this benchmark begin with, around nothing but a model.
 */
#ifndef MCU_START_H
#define MCU_START_H

#include "platform.h"

static inline void fill_memory(void) {
    const uint32_t *from = rnn_edge_data_source;
    for (uint32_t *to = rnn_edge_data_start; to < rnn_edge_data_end; ++to) {
        *to = *from++;
    }
    for (uint32_t *to = rnn_edge_bss_start; to < rnn_edge_bss_end; ++to) {
        *to = 0;
    }
}

#endif
