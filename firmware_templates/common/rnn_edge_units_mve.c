/*
 * The gates of eight units at once, with the vectors of Armv8.1-M: what rnn_edge_gru_units.c and
 * rnn_edge_lstm_units.c say, in 16 bits wherever nothing is lost.
 *
 * Products of units beyond the last one are whatever they are; the states of such units are
 * neither read nor written.
 */
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_MVE)

#include <arm_mve.h>

#include "rnn_edge_activation.h"

enum { LANES = 8, STRIDE = RNN_EDGE_UNITS_AT_ONCE };

/* The table's entries below position / 256, 0..65279, and how far it rises to the next. */
static inline uint16x8_t entries_at(uint16x8_t position, int16x8_t *rise) {
    const uint16x8_t index = vshrq_n_u16(position, 8);
    const uint16x8_t low = vldrhq_gather_shifted_offset_u16(rnn_edge_sigmoid_table, index);
    const uint16x8_t high = vldrhq_gather_shifted_offset_u16(rnn_edge_sigmoid_table + 1, index);
    *rise = vreinterpretq_s16_u16(vsubq_u16(high, low));
    return low;
}

/* The part of position below 256, times 2^7: a factor of doubling products with their upper half
 * that shift back by the other 8 bits. */
static inline int16x8_t fraction_of(uint16x8_t position) {
    return vreinterpretq_s16_u16(vbicq_n_u16(vshlq_n_u16(position, 7), 0x8000));
}

/* As rnn_edge_logistic: both terms of its position are even, and so is what it divides by; the
 * halving addition rounds as it does. From 21759 on the result is the largest int16. */
static inline int16x8_t logistic(int16x8_t x) {
    const uint16x8_t magnitude = vreinterpretq_u16_s16(vabsq_s16(x));
    const uint16x8_t position = vmulq_n_u16(vminq_u16(magnitude, vdupq_n_u16(21759)), 3);
    int16x8_t rise;
    const uint16x8_t low = entries_at(position, &rise);
    const int16x8_t risen = vqdmulhq_s16(rise, fraction_of(position));
    const uint16x8_t value = vrhaddq_u16(low, vreinterpretq_u16_s16(risen));
    const uint16x8_t mirrored = vsubq_u16(vdupq_n_u16(32768), value);
    return vreinterpretq_s16_u16(vpselq_u16(mirrored, value, vcmpltq_n_s16(x, 0)));
}

/* As rnn_edge_tanh: |x| * 3 / 2 is |x| and the magnitude of x / 2 rounded towards plus infinity. */
static inline int16x8_t hyperbolic_tangent(int16x8_t x) {
    const uint16x8_t magnitude = vreinterpretq_u16_s16(vabsq_s16(x));
    const int16x8_t half = vabsq_s16(vrshrq_n_s16(x, 1));
    const uint16x8_t position = vaddq_u16(magnitude, vreinterpretq_u16_s16(half));
    int16x8_t rise;
    const uint16x8_t low = entries_at(position, &rise);
    const int16x8_t risen = vqrdmulhq_s16(rise, fraction_of(position));
    const int16x8_t above_half = vreinterpretq_s16_u16(vsubq_n_u16(low, 32768));
    const int16x8_t value = vaddq_s16(above_half, risen);
    const int16x8_t sign = vshrq_n_s16(x, 15);
    return vsubq_s16(veorq_s16(value, sign), sign);
}

/* Four products divided as rnn_edge_divide_twice does but for the last rounding shift: the half
 * that this adds goes away from zero once one is taken from what is negative. */
static inline int32x4_t halved(int32x4_t products) {
    const int32x4_t half = vrshrq_n_s32(products, 1);
    return vaddq_s32(half, vshrq_n_s32(half, 31));
}

/* As rnn_edge_multiply with 15 bits. */
static inline int16x8_t multiply(int16x8_t a, int16x8_t b) {
    const int32x4_t even = halved(vmullbq_int_s16(a, b));
    const int32x4_t odd = halved(vmulltq_int_s16(a, b));
    return vqrshrntq_n_s32(vqrshrnbq_n_s32(vuninitializedq_s16(), even, 14), odd, 14);
}

static inline int16x8_t sum(const int16_t *gx, const int16_t *gh) {
    return vqaddq_s16(vldrhq_s16(gx), vldrhq_s16(gh));
}

void rnn_edge_gru_units(uint32_t count, const int16_t *gx, const int16_t *gh, const int16_t *h,
                        int16_t *next) {
    for (uint32_t j = 0; j < count; j += LANES) {
        const mve_pred16_t there = vctp16q(count - j);
        const int16x8_t r = logistic(sum(gx + j, gh + j));
        const int16x8_t gated = multiply(r, vldrhq_s16(gh + 2 * STRIDE + j));
        const int16x8_t candidate = vqaddq_s16(vldrhq_s16(gx + 2 * STRIDE + j), gated);
        const int16x8_t n = hyperbolic_tangent(vqshlq_n_s16(candidate, 2));
        const int16x8_t z = logistic(sum(gx + STRIDE + j, gh + STRIDE + j));

        /* (h - n) / 2, ties away from zero: one more before the shift where h is greater, which is
         * one less of n, never -32768. */
        const int16x8_t before = vldrhq_z_s16(h + j, there);
        const int16x8_t less = vsubq_m_n_s16(n, n, 1, vcmpgtq_s16(before, n));
        /* Twice what is kept may not fit; where adding it once saturates, twice does too. */
        const int16x8_t kept = multiply(z, vhsubq_s16(before, less));
        vstrhq_p_s16(next + j, vqaddq_s16(vqaddq_s16(n, kept), kept), there);
    }
}

/* As rnn_edge_requantize from scale 2^exponent, -15..0, to 2^-13. */
static inline int16x8_t argument_of_tanh(int16x8_t c, int exponent) {
    if (exponent >= -13) {
        return vqshlq_r_s16(c, exponent + 13);
    }
    const int16x8_t half = vrshrq_n_s16(c, 1);
    if (exponent == -14) {
        return half;
    }
    return vrshrq_n_s16(vaddq_s16(half, vshrq_n_s16(half, 15)), 1);
}

/* As rnn_edge_multiply with cell_exponent + 30 bits, -shift of which are left after the first. */
static inline int16x8_t multiply_to(int16x8_t a, int16x8_t b, int32_t shift) {
    const int32x4_t even = vrshlq_n_s32(halved(vmullbq_int_s16(a, b)), shift);
    const int32x4_t odd = vrshlq_n_s32(halved(vmulltq_int_s16(a, b)), shift);
    return vqmovntq_s32(vqmovnbq_s32(vuninitializedq_s16(), even), odd);
}

void rnn_edge_lstm_units(uint32_t count, int cell_exponent, const int16_t *gx, const int16_t *gh,
                         int16_t *c, int16_t *next) {
    for (uint32_t j = 0; j < count; j += LANES) {
        const mve_pred16_t there = vctp16q(count - j);
        const int16x8_t i = logistic(sum(gx + j, gh + j));
        const int16x8_t candidate = sum(gx + 2 * STRIDE + j, gh + 2 * STRIDE + j);
        const int16x8_t g = hyperbolic_tangent(vqshlq_n_s16(candidate, 2));
        const int16x8_t added = multiply_to(i, g, -(cell_exponent + 29));
        const int16x8_t f = logistic(sum(gx + STRIDE + j, gh + STRIDE + j));
        const int16x8_t kept = multiply(f, vldrhq_z_s16(c + j, there));
        const int16x8_t cell = vqaddq_s16(kept, added);
        vstrhq_p_s16(c + j, cell, there);
        const int16x8_t o = logistic(sum(gx + 3 * STRIDE + j, gh + 3 * STRIDE + j));
        const int16x8_t squashed = hyperbolic_tangent(argument_of_tanh(cell, cell_exponent));
        vstrhq_p_s16(next + j, multiply(o, squashed), there);
    }
}

#endif
