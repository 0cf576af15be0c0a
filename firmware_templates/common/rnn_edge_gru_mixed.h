/*
 * The new state of a gated recurrent unit, h' = n + z * (h - n).
 */
#ifndef RNN_EDGE_GRU_MIXED_H
#define RNN_EDGE_GRU_MIXED_H

#include "rnn_edge_fixedpoint.h"

/* h an int16, z 1..32767 and n -32767..32767 at scale 2^-15, h - n and z * (h - n) at 2^-14. */
static inline int16_t rnn_edge_gru_mixed(int32_t h, int32_t z, int32_t n) {
    /* n is never -32768, so that h - n is -65535 to 65534 and its half fits an int16. */
    const int32_t difference = rnn_edge_divide_away(h - n, 1);
    return rnn_edge_saturate32(n + rnn_edge_gated(z, difference, 15) * 2);
}

#endif
