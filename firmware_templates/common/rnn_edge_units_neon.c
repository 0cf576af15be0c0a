/*
 * The gates of eight units at once, with the vectors of AArch64 and of Armv7-A: what
 * rnn_edge_gru_units.c and rnn_edge_lstm_units.c say, in 16 bits wherever nothing is lost.
 */
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_NEON)

#include <arm_neon.h>
#include <string.h>

#include "rnn_edge_activation.h"

enum { LANES = 8, GRU_GATES = 3, LSTM_GATES = 4, STRIDE = RNN_EDGE_UNITS_AT_ONCE };

/* An entry of the table and the next, as they lie. */
static inline uint32_t entries(uint64_t index) {
    uint32_t both;
    memcpy(&both, rnn_edge_sigmoid_table + index, sizeof both);
    return both;
}

static inline uint32x4_t four_entries(uint16x4_t index) {
    const uint64_t all = vget_lane_u64(vreinterpret_u64_u16(index), 0);
    uint32x4_t found = vdupq_n_u32(entries(all & 0xFFFFU));
    found = vsetq_lane_u32(entries((all >> 16) & 0xFFFFU), found, 1);
    found = vsetq_lane_u32(entries((all >> 32) & 0xFFFFU), found, 2);
    return vsetq_lane_u32(entries(all >> 48), found, 3);
}

/* The table's entries below position / 256, 0..65279, and how far it rises to the next. */
static inline uint16x8_t entries_at(uint16x8_t position, int16x8_t *rise) {
    const uint16x8_t index = vshrq_n_u16(position, 8);
    const uint32x4_t left = four_entries(vget_low_u16(index));
    const uint32x4_t right = four_entries(vget_high_u16(index));
    const uint16x8x2_t both = vuzpq_u16(vreinterpretq_u16_u32(left), vreinterpretq_u16_u32(right));
    *rise = vreinterpretq_s16_u16(vsubq_u16(both.val[1], both.val[0]));
    return both.val[0];
}

/* The part of position below 256, times 2^7: a factor of doubling products with their upper half
 * that shift back by the other 8 bits. */
static inline int16x8_t fraction_of(uint16x8_t position) {
    return vreinterpretq_s16_u16(vandq_u16(vshlq_n_u16(position, 7), vdupq_n_u16(0x7F80)));
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
    const uint16x8_t negative = vcltq_s16(x, vdupq_n_s16(0));
    return vreinterpretq_s16_u16(vbslq_u16(negative, mirrored, value));
}

/* As rnn_edge_tanh: |x| * 3 / 2 is |x| and the magnitude of x / 2 rounded towards plus infinity. */
static inline int16x8_t hyperbolic_tangent(int16x8_t x) {
    const uint16x8_t magnitude = vreinterpretq_u16_s16(vabsq_s16(x));
    const int16x8_t half = vabsq_s16(vrshrq_n_s16(x, 1));
    const uint16x8_t position = vaddq_u16(magnitude, vreinterpretq_u16_s16(half));
    int16x8_t rise;
    const uint16x8_t low = entries_at(position, &rise);
    const int16x8_t risen = vqrdmulhq_s16(rise, fraction_of(position));
    const int16x8_t above_half = vreinterpretq_s16_u16(vsubq_u16(low, vdupq_n_u16(32768)));
    const int16x8_t value = vaddq_s16(above_half, risen);
    const int16x8_t sign = vshrq_n_s16(x, 15);
    return vsubq_s16(veorq_s16(value, sign), sign);
}

/* Four products divided as rnn_edge_divide_twice does but for the last rounding shift: the half
 * that this adds goes away from zero once one is taken from what is negative. */
static inline int32x4_t halved(int32x4_t products) {
    const int32x4_t half = vrshrq_n_s32(products, 1);
    return vsraq_n_s32(half, half, 31);
}

/* As rnn_edge_multiply with 15 bits. */
static inline int16x8_t multiply(int16x8_t a, int16x8_t b) {
    const int32x4_t left = halved(vmull_s16(vget_low_s16(a), vget_low_s16(b)));
    const int32x4_t right = halved(vmull_s16(vget_high_s16(a), vget_high_s16(b)));
    return vcombine_s16(vqrshrn_n_s32(left, 14), vqrshrn_n_s32(right, 14));
}

static inline int16x8_t sum(const int16_t *gx, const int16_t *gh) {
    return vqaddq_s16(vld1q_s16(gx), vld1q_s16(gh));
}

/* The first values of each gate and zeros. to: [gates][LANES] */
static void take(const int16_t *from, uint32_t gates, uint32_t count, int16_t *to) {
    memset(to, 0, gates * LANES * sizeof *to);
    for (uint32_t gate = 0; gate < gates; ++gate) {
        memcpy(to + gate * LANES, from + gate * STRIDE, count * sizeof *to);
    }
}

/* Eight units; their gates are `stride` values from each other. */
static void gru(uint32_t stride, const int16_t *gx, const int16_t *gh, const int16_t *h,
                int16_t *next) {
    const int16x8_t r = logistic(sum(gx, gh));
    const int16x8_t z = logistic(sum(gx + stride, gh + stride));

    const int16x8_t gated = multiply(r, vld1q_s16(gh + 2 * stride));
    const int16x8_t candidate = vqaddq_s16(vld1q_s16(gx + 2 * stride), gated);
    const int16x8_t n = hyperbolic_tangent(vqshlq_n_s16(candidate, 2));

    /* (h - n) / 2, ties away from zero: one more before the shift where h is greater, which is one
     * less of n, never -32768. */
    const int16x8_t before = vld1q_s16(h);
    const int16x8_t greater = vreinterpretq_s16_u16(vcgtq_s16(before, n));
    const int16x8_t difference = vhsubq_s16(before, vaddq_s16(n, greater));
    /* Twice what is kept may not fit; where adding it once saturates, twice does too. */
    const int16x8_t kept = multiply(z, difference);
    vst1q_s16(next, vqaddq_s16(vqaddq_s16(n, kept), kept));
}

void rnn_edge_gru_units(uint32_t count, const int16_t *gx, const int16_t *gh, const int16_t *h,
                        int16_t *next) {
    uint32_t j = 0;
    for (; j + LANES <= count; j += LANES) {
        gru(STRIDE, gx + j, gh + j, h + j, next + j);
    }
    if (j < count) {
        int16_t last_gx[GRU_GATES * LANES];
        int16_t last_gh[GRU_GATES * LANES];
        int16_t last_h[LANES] = {0};
        int16_t last_next[LANES];
        take(gx + j, GRU_GATES, count - j, last_gx);
        take(gh + j, GRU_GATES, count - j, last_gh);
        memcpy(last_h, h + j, (count - j) * sizeof *h);
        gru(LANES, last_gx, last_gh, last_h, last_next);
        memcpy(next + j, last_next, (count - j) * sizeof *next);
    }
}

/* As rnn_edge_requantize from scale 2^exponent, -15..0, to 2^-13. */
static inline int16x8_t argument_of_tanh(int16x8_t c, int exponent) {
    if (exponent >= -13) {
        return vqshlq_s16(c, vdupq_n_s16((int16_t)(exponent + 13)));
    }
    const int16x8_t half = vrshrq_n_s16(c, 1);
    if (exponent == -14) {
        return half;
    }
    return vrshrq_n_s16(vsraq_n_s16(half, half, 15), 1);
}

/* As rnn_edge_multiply with cell_exponent + 30 bits, -shift of which are left after the first. */
static inline int16x4_t added(int16x4_t i, int16x4_t g, int32x4_t shift) {
    return vqmovn_s32(vrshlq_s32(halved(vmull_s16(i, g)), shift));
}

/* Eight units; their gates are `stride` values from each other. */
static void lstm(uint32_t stride, int cell_exponent, const int16_t *gx, const int16_t *gh,
                 int16_t *c, int16_t *next) {
    const int16x8_t i = logistic(sum(gx, gh));
    const int16x8_t f = logistic(sum(gx + stride, gh + stride));
    const int16x8_t candidate = sum(gx + 2 * stride, gh + 2 * stride);
    const int16x8_t g = hyperbolic_tangent(vqshlq_n_s16(candidate, 2));
    const int16x8_t o = logistic(sum(gx + 3 * stride, gh + 3 * stride));

    const int32x4_t shift = vdupq_n_s32(-(cell_exponent + 29));
    const int16x8_t kept = multiply(f, vld1q_s16(c));
    const int16x4_t left = added(vget_low_s16(i), vget_low_s16(g), shift);
    const int16x4_t right = added(vget_high_s16(i), vget_high_s16(g), shift);
    const int16x8_t cell = vqaddq_s16(kept, vcombine_s16(left, right));
    vst1q_s16(c, cell);
    vst1q_s16(next, multiply(o, hyperbolic_tangent(argument_of_tanh(cell, cell_exponent))));
}

void rnn_edge_lstm_units(uint32_t count, int cell_exponent, const int16_t *gx, const int16_t *gh,
                         int16_t *c, int16_t *next) {
    uint32_t j = 0;
    for (; j + LANES <= count; j += LANES) {
        lstm(STRIDE, cell_exponent, gx + j, gh + j, c + j, next + j);
    }
    if (j < count) {
        int16_t last_gx[LSTM_GATES * LANES];
        int16_t last_gh[LSTM_GATES * LANES];
        int16_t last_c[LANES] = {0};
        int16_t last_next[LANES];
        take(gx + j, LSTM_GATES, count - j, last_gx);
        take(gh + j, LSTM_GATES, count - j, last_gh);
        memcpy(last_c, c + j, (count - j) * sizeof *c);
        lstm(LANES, cell_exponent, last_gx, last_gh, last_c, last_next);
        memcpy(c + j, last_c, (count - j) * sizeof *c);
        memcpy(next + j, last_next, (count - j) * sizeof *next);
    }
}

#endif
