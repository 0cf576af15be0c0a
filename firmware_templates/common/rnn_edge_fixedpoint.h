/*
 * Integer arithmetic of the w8a16 scheme: shifts, saturation and the three ways to round.
 *
 * A real number is stored as an int16 times a power of two. Every function here is exact over the
 * whole range it states; none uses floating point.
 */
#ifndef RNN_EDGE_FIXEDPOINT_H
#define RNN_EDGE_FIXEDPOINT_H

#include <stdint.h>

/* C11 leaves the right shift of a negative value to the compiler. These two functions are the one
 * place that relies on it, and the build stops where it does not shift in copies of the sign. */
_Static_assert(((int32_t)-3 >> 1) == -2, "right shift of a negative int32_t must be arithmetic");
_Static_assert(((int64_t)-3 >> 1) == -2, "right shift of a negative int64_t must be arithmetic");

/* floor(value / 2^bits); bits 0..31. */
static inline int32_t rnn_edge_floor_shift32(int32_t value, unsigned bits) {
    return value >> bits;
}

/* floor(value / 2^bits); bits 0..63. */
static inline int64_t rnn_edge_floor_shift64(int64_t value, unsigned bits) {
    return value >> bits;
}

static inline int16_t rnn_edge_saturate32(int32_t value) {
    if (value > INT16_MAX) {
        return INT16_MAX;
    }
    if (value < INT16_MIN) {
        return INT16_MIN;
    }
    return (int16_t)value;
}

static inline int16_t rnn_edge_saturate64(int64_t value) {
    if (value > INT16_MAX) {
        return INT16_MAX;
    }
    if (value < INT16_MIN) {
        return INT16_MIN;
    }
    return (int16_t)value;
}

/* value / 2^bits to nearest, ties away from zero; bits 0..30, |value| <= 2^30. */
static inline int32_t rnn_edge_divide_away(int32_t value, unsigned bits) {
    const int32_t half = bits == 0 ? 0 : (int32_t)1 << (bits - 1);
    if (value < 0) {
        return -rnn_edge_floor_shift32(half - value, bits);
    }
    return rnn_edge_floor_shift32(value + half, bits);
}

/* value / 2^bits as MUL and QUANTIZE round it: halved first, ties towards plus infinity, and only
 * then divided by what is left, ties away from zero. bits 1..30, |value| <= 2^30. The two
 * roundings are not one: 2^14 - 1 at bits = 15 gives 1. */
static inline int32_t rnn_edge_divide_twice(int32_t value, unsigned bits) {
    return rnn_edge_divide_away(rnn_edge_floor_shift32(value + 1, 1), bits - 1);
}

/* a * b / 2^bits, saturated; bits 1..30. */
static inline int16_t rnn_edge_multiply(int16_t a, int16_t b, unsigned bits) {
    return rnn_edge_saturate32(rnn_edge_divide_twice((int32_t)a * (int32_t)b, bits));
}

/* a + b at the operands' scale, saturated. */
static inline int16_t rnn_edge_add(int16_t a, int16_t b) {
    return rnn_edge_saturate32((int32_t)a + (int32_t)b);
}

/* x from scale 2^from to scale 2^to, saturated; from - to is -30..15. */
static inline int16_t rnn_edge_requantize(int16_t x, int from, int to) {
    if (from >= to) {
        return rnn_edge_saturate32((int32_t)x * ((int32_t)1 << (from - to)));
    }
    return rnn_edge_saturate32(rnn_edge_divide_twice(x, (unsigned)(to - from)));
}

#endif
