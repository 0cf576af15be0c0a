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
_Static_assert(((int32_t)-3 ^ -1) == 2, "negative values must be two's complements");

/* floor(value / 2^bits); bits 0..31. */
static inline int32_t rnn_edge_floor_shift32(int32_t value, unsigned bits) {
    return value >> bits;
}

/* floor(value / 2^bits); bits 0..63. */
static inline int64_t rnn_edge_floor_shift64(int64_t value, unsigned bits) {
    return value >> bits;
}

static inline int16_t rnn_edge_saturate32(int32_t value) {
    const int32_t below = value < INT16_MAX ? value : INT16_MAX;
    return (int16_t)(below > INT16_MIN ? below : INT16_MIN);
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

/* -1 for a negative value, else 0. */
static inline int32_t rnn_edge_sign(int32_t value) {
    return rnn_edge_floor_shift32(value, 31);
}

/* -value where sign is -1, value where it is 0; value is not -2^31. */
static inline int32_t rnn_edge_negate_if(int32_t sign, int32_t value) {
    return (value ^ sign) - sign;
}

/* value / 2^bits to nearest, ties away from zero; bits 0..30, |value| <= 2^30. Half of 2^bits is
 * added before the division; a negative value that stands at a tie must not get there, and any
 * other one is so far from the next quotient that one less does not matter. */
static inline int32_t rnn_edge_divide_away(int32_t value, unsigned bits) {
    if (bits == 0) {
        return value;
    }
    const int32_t half = (int32_t)1 << (bits - 1U);
    return rnn_edge_floor_shift32(value + half + rnn_edge_sign(value), bits);
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

/* As rnn_edge_divide_twice, in one division; bits 2..30, |product| <= 2^30. With p the product and
 * h = floor((p + 1) / 2), floor((h + 2^(bits - 2) + s) / 2^(bits - 1)) is
 * floor((p + 1 + 2^(bits - 1) + 2 s) / 2^bits), and s, the sign of h, is that of p but for p = -1,
 * where both give 0. */
static inline int32_t rnn_edge_divide_product(int32_t product, unsigned bits) {
    const int32_t nearest = product + ((int32_t)1 << (bits - 1U)) + 1;
    return rnn_edge_floor_shift32(nearest + 2 * rnn_edge_sign(product), bits);
}

/* gate * value / 2^bits as rnn_edge_multiply gives it; gate 0..32767, value an int16, bits 15..30.
 * Nothing can saturate. */
static inline int32_t rnn_edge_gated(int32_t gate, int32_t value, unsigned bits) {
    return rnn_edge_divide_product(gate * value, bits);
}

/* (sum * multiplier + 2^(shift - 1)) >> shift, saturated; shift 32..46, multiplier 1..2^31 - 2^16.
 * The division goes by 2^31 first, which leaves an int32_t even after the rounding term, 2^14 at
 * most, is added: half of what is divided by next. */
static inline int16_t rnn_edge_narrow_result(int32_t sum, int32_t multiplier, unsigned shift) {
    const int32_t upper = (int32_t)rnn_edge_floor_shift64((int64_t)sum * multiplier, 31);
    const int32_t half = (int32_t)1 << (shift - 32U);
    return rnn_edge_saturate32(rnn_edge_floor_shift32(upper + half, shift - 31U));
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
