/*
 * Logistic function and hyperbolic tangent on int16, from one table with linear interpolation.
 */
#ifndef RNN_EDGE_ACTIVATION_H
#define RNN_EDGE_ACTIVATION_H

#include <stdint.h>

#define RNN_EDGE_SIGMOID_ENTRIES 256

/* sigmoid(i / 24) * 2^16. */
extern const uint16_t rnn_edge_sigmoid_table[RNN_EDGE_SIGMOID_ENTRIES];

/* The table at position / 2^bits, times 2^bits. The position is below 255 * 2^bits. */
static inline uint32_t rnn_edge_sigmoid_between(uint32_t position, unsigned bits) {
    const uint32_t index = position >> bits;
    const uint32_t fraction = position & (((uint32_t)1 << bits) - 1U);
    const uint32_t low = rnn_edge_sigmoid_table[index];
    const uint32_t high = rnn_edge_sigmoid_table[index + 1U];
    return (low << bits) + fraction * (high - low);
}

/* |x|; of -32768 too, which has no int16 counterpart. */
static inline uint32_t rnn_edge_magnitude(int16_t x) {
    return x < 0 ? (uint32_t)(-(int32_t)x) : (uint32_t)x;
}

/* 1 / (1 + exp(-x)): x at scale 2^-11, result 1..32767 at scale 2^-15. */
static inline int16_t rnn_edge_logistic(int16_t x) {
    /* 24 entries per unit and 9 bits between entries: 24 * 2^9 / 2^11 = 6. */
    const uint32_t position = rnn_edge_magnitude(x) * 6U;
    /* Only the last entry has no right neighbour; from there on the result is the largest int16. */
    const uint32_t value = position >= ((uint32_t)255 << 9)
                               ? (uint32_t)INT16_MAX
                               : (rnn_edge_sigmoid_between(position, 9) + ((uint32_t)1 << 9)) >> 10;
    return x < 0 ? (int16_t)(32768 - (int32_t)value) : (int16_t)value;
}

/* tanh(x) = 2 * sigmoid(2 x) - 1: x at scale 2^-13, result -32767..32767 at scale 2^-15. */
static inline int16_t rnn_edge_tanh(int16_t x) {
    /* 2 * 24 entries per unit and 8 bits between entries: 48 * 2^8 / 2^13 = 3 / 2. The half is
     * rounded towards plus infinity, which is down in magnitude for a negative x. At most 49152,
     * so that the end of the table is never reached. */
    const uint32_t up = x < 0 ? 0U : 1U;
    const uint32_t position = (rnn_edge_magnitude(x) * 3U + up) >> 1;
    const uint32_t above_half = rnn_edge_sigmoid_between(position, 8) - ((uint32_t)1 << 23);
    const int32_t value = (int32_t)((above_half + ((uint32_t)1 << 7)) >> 8);
    return (int16_t)(x < 0 ? -value : value);
}

#endif
