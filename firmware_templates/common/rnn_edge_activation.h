/*
 * Logistic function and hyperbolic tangent on int16, from one table with linear interpolation.
 */
#ifndef RNN_EDGE_ACTIVATION_H
#define RNN_EDGE_ACTIVATION_H

#include <stdint.h>

#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_table.h"

#define RNN_EDGE_SIGMOID_ENTRIES 256

/* sigmoid(i / 24) * 2^16. */
extern RNN_EDGE_TABLE uint16_t rnn_edge_sigmoid_table[RNN_EDGE_SIGMOID_ENTRIES];

/* 1 / (1 + exp(-x)): x at scale 2^-11, |x| < 2^29, result 1..32767 at scale 2^-15. Beyond an int16
 * the result is that of the saturated x, so that a sum need not be saturated first. */
static inline int32_t rnn_edge_logistic(int32_t x) {
    /* 24 entries per unit and 2^8 between entries: 24 * 2^8 / 2^11 = 3. */
    const int32_t sign = rnn_edge_sign(x);
    const uint32_t position = (uint32_t)rnn_edge_negate_if(sign, x) * 3U;
    /* The last entry has no right neighbour. Just before it the result is the largest int16, and
     * so it is from there on. */
    const uint32_t within = position < 255U * 256U ? position : 255U * 256U - 1U;
    const uint16_t *entry = &rnn_edge_sigmoid_table[within >> 8];
    const int32_t low = entry[0];
    const int32_t rise = entry[1] - low;
    const int32_t value = low * 256 + (int32_t)(within & 255U) * rise;
    const int32_t above_half = rnn_edge_floor_shift32(value + 256 - (1 << 23), 9);
    return (1 << 14) + rnn_edge_negate_if(sign, above_half);
}

/* 2 * sigmoid(position / (24 * 2^8)) - 1, |position| < 2^31, result -32767..32767 at scale 2^-15.
 * Saturates at 49152, to which the largest arguments at scale 2^-13 lead. */
static inline int32_t rnn_edge_tanh_at(int32_t position) {
    const int32_t sign = rnn_edge_sign(position);
    const uint32_t magnitude = (uint32_t)rnn_edge_negate_if(sign, position);
    const uint32_t within = magnitude < 49152U ? magnitude : 49152U;
    const uint16_t *entry = &rnn_edge_sigmoid_table[within >> 8];
    const int32_t low = entry[0];
    const int32_t rise = entry[1] - low;
    const int32_t value = low + rnn_edge_floor_shift32((int32_t)(within & 255U) * rise + 128, 8);
    return rnn_edge_negate_if(sign, value - (1 << 15));
}

/* tanh(x) = 2 * sigmoid(2 x) - 1: x at scale 2^-13, |x| < 2^29, result -32767..32767 at scale
 * 2^-15. Beyond an int16 the result is that of the saturated x: the ends of the range lead to
 * 49151 and -49152, and the table rises by no more than one there. */
static inline int32_t rnn_edge_tanh(int32_t x) {
    /* 2 * 24 entries per unit and 8 bits between entries: 48 * 2^8 / 2^13 = 3 / 2. The half is
     * rounded towards plus infinity. */
    return rnn_edge_tanh_at(rnn_edge_floor_shift32(x * 3 + 1, 1));
}

/* tanh(x): x at scale 2^-11, |x| < 2^28, as rnn_edge_tanh of 4 * x. */
static inline int32_t rnn_edge_tanh_of_gate(int32_t x) {
    return rnn_edge_tanh_at(x * 6);
}

#endif
