/*
 * Weights in blocks, with the vectors of AArch64 and of Armv7-A.
 *
 * A vector of sums has four rows. Eight of them go along the columns together: they do not wait for
 * each other, and each x is loaded once for 32 rows.
 */
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_NEON)

#include <arm_neon.h>
#include <string.h>

enum { SIDE = 4, BLOCK = SIDE * SIDE, COLUMNS = 2 * SIDE };

#if defined(RNN_EDGE_DOT)

/*
 * Products of int8 by int8, four of them in an instruction: x is 256 * upper + lower. Upper is
 * rounded, so that lower has a sign; from 32640 on it would be 128, and is one less instead.
 */
typedef struct {
    int8x8_t upper;
    int8x8_t lower;
} eight_values;

typedef struct {
    int32x4_t upper;
    int32x4_t lower;
} four_sums;

enum { LARGE = 32640 };

static inline eight_values values_of(int16x8_t x) {
    const eight_values split = {vqrshrn_n_s16(x, 8), vmovn_s16(x)};
    return split;
}

static inline int any_large(int16x8_t x) {
    return vmaxvq_s16(x) >= LARGE;
}

/* What upper lacks, and nothing of lower. */
static inline eight_values lack_of(int16x8_t x) {
    const uint16x8_t large = vcgeq_s16(x, vdupq_n_s16(LARGE));
    const eight_values lack = {vneg_s8(vmovn_s16(vreinterpretq_s16_u16(large))), vdup_n_s8(0)};
    return lack;
}

static inline four_sums begin(const int32_t *bias) {
    const four_sums begun = {vdupq_n_s32(0), vld1q_s32(bias)};
    return begun;
}

/* Adds a block times the first four values to the sums of its rows. */
static inline four_sums left_block(four_sums to, const uint8_t *weights, eight_values x) {
    const int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(weights));
    to.upper = vdotq_lane_s32(to.upper, bytes, x.upper, 0);
    to.lower = vdotq_lane_s32(to.lower, bytes, x.lower, 0);
    return to;
}

static inline four_sums right_block(four_sums to, const uint8_t *weights, eight_values x) {
    const int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(weights));
    to.upper = vdotq_lane_s32(to.upper, bytes, x.upper, 1);
    to.lower = vdotq_lane_s32(to.lower, bytes, x.lower, 1);
    return to;
}

static inline int32x4_t end(four_sums from) {
    return vaddq_s32(from.lower, vshlq_n_s32(from.upper, 8));
}

#else

typedef int16x8_t eight_values;
typedef int32x4_t four_sums;

static inline eight_values values_of(int16x8_t x) {
    return x;
}

static inline four_sums begin(const int32_t *bias) {
    return vld1q_s32(bias);
}

static inline four_sums block(four_sums to, const uint8_t *weights, int16x4_t x) {
    const int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(weights));
    const int16x8_t left = vmovl_s8(vget_low_s8(bytes));
    const int16x8_t right = vmovl_s8(vget_high_s8(bytes));
    to = vmlal_lane_s16(to, vget_low_s16(left), x, 0);
    to = vmlal_lane_s16(to, vget_high_s16(left), x, 1);
    to = vmlal_lane_s16(to, vget_low_s16(right), x, 2);
    return vmlal_lane_s16(to, vget_high_s16(right), x, 3);
}

/* Adds a block times the first four values to the sums of its rows. */
static inline four_sums left_block(four_sums to, const uint8_t *weights, eight_values x) {
    return block(to, weights, vget_low_s16(x));
}

static inline four_sums right_block(four_sums to, const uint8_t *weights, eight_values x) {
    return block(to, weights, vget_high_s16(x));
}

static inline int32x4_t end(four_sums from) {
    return from;
}

#endif

/* What of the columns is no multiple of eight; the weights of others are zero, or not there. */
static inline int16x8_t last_columns(const int16_t *x, uint32_t count) {
    int16_t padded[COLUMNS] = {0};
    memcpy(padded, x, count * sizeof *x);
    return vld1q_s16(padded);
}

/*
 * The result of four rows. With S = shift,
 *
 *   (sum * multiplier + 2^(S - 1)) >> S == (((sum * multiplier) >> 31) + 2^(S - 32)) >> (S - 31)
 *
 * as 2^(S - 1) is a multiple of 2^31; the doubling product that keeps its upper half is the first
 * shift, and the rounding one the rest.
 */
static inline int16x4_t results(int32x4_t sums, int32x4_t multipliers, int32x4_t shift) {
    return vqmovn_s32(vrshlq_s32(vqdmulhq_s32(sums, multipliers), shift));
}

/* Rows from a block on: the pointers stay pointers, which a load can advance. */
#define KEEP(POINTER) __asm__("" : "+r"(POINTER))

#define BEGIN(G)                                                                                   \
    four_sums sums##G = begin(bias + SIDE * G);                                                    \
    const uint8_t *weights##G = weights + G * stride;
#define ADD_LEFT(G) sums##G = left_block(sums##G, weights##G, eight);
#define ADD_RIGHT(G) sums##G = right_block(sums##G, weights##G + BLOCK, eight);
#define ADVANCE(G)                                                                                 \
    weights##G += 2 * BLOCK;                                                                       \
    KEEP(weights##G);
#define ADD(G) ADD_LEFT(G) ADD_RIGHT(G) ADVANCE(G)
#define END(G)                                                                                     \
    const int16x4_t result##G = results(end(sums##G), vld1q_s32(multipliers + SIDE * G), shift);
#define STORE(G) vst1_s16(out + SIDE * G, result##G);
#define STORE_BOTH(G, H) vst1q_s16(out + SIDE * G, vcombine_s16(result##G, result##H));

#if defined(RNN_EDGE_DOT)
#define ADD_BOTH(G) ADD_LEFT(G) ADD_RIGHT(G)
#define ADD_LACK(EACH)                                                                             \
    if (any_large(whole)) {                                                                        \
        const eight_values eight = lack_of(whole);                                                 \
        EACH(ADD_BOTH)                                                                             \
    }
#define ADD_LAST_LACK(EACH)                                                                        \
    if (any_large(whole)) {                                                                        \
        const eight_values eight = lack_of(whole);                                                 \
        EACH(ADD_LEFT)                                                                             \
        if (columns > SIDE) {                                                                      \
            EACH(ADD_RIGHT)                                                                        \
        }                                                                                          \
    }
#else
#define ADD_LACK(EACH)
#define ADD_LAST_LACK(EACH)
#endif

#define ROWS(NAME, EACH, ALL)                                                                      \
    static void NAME(const rnn_edge_matrix *matrix, const uint8_t *weights, size_t stride,         \
                     const int32_t *bias, const int32_t *multipliers, const int16_t *x,            \
                     int16_t *out) {                                                               \
        const int32x4_t shift = vdupq_n_s32(31 - (int32_t)matrix->narrow_shift);                   \
        uint32_t columns = matrix->columns;                                                        \
        EACH(BEGIN)                                                                                \
        for (; columns >= COLUMNS; columns -= COLUMNS) {                                           \
            const int16x8_t whole = vld1q_s16(x);                                                  \
            ADD_LACK(EACH)                                                                         \
            const eight_values eight = values_of(whole);                                           \
            EACH(ADD)                                                                              \
            x += COLUMNS;                                                                          \
        }                                                                                          \
        if (columns != 0) {                                                                        \
            const int16x8_t whole = last_columns(x, columns);                                      \
            ADD_LAST_LACK(EACH)                                                                    \
            const eight_values eight = values_of(whole);                                           \
            EACH(ADD_LEFT)                                                                         \
            if (columns > SIDE) {                                                                  \
                EACH(ADD_RIGHT)                                                                    \
            }                                                                                      \
        }                                                                                          \
        EACH(END)                                                                                  \
        ALL                                                                                        \
    }

#define EACH_OF_1(DO) DO(0)
#define EACH_OF_2(DO) DO(0) DO(1)
#define EACH_OF_8(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)

ROWS(rows_4, EACH_OF_1, STORE(0))
ROWS(rows_8, EACH_OF_2, STORE_BOTH(0, 1))
ROWS(rows_32, EACH_OF_8, STORE_BOTH(0, 1) STORE_BOTH(2, 3) STORE_BOTH(4, 5) STORE_BOTH(6, 7))

/* Fewer than four rows: there are no more multipliers and biases than rows. */
static void last_rows(const rnn_edge_matrix *matrix, const uint8_t *weights, uint32_t count,
                      const int32_t *bias, const int32_t *multipliers, const int16_t *x,
                      int16_t *out) {
    int32_t padded_bias[SIDE] = {0};
    int32_t padded_multipliers[SIDE] = {0};
    int16_t padded_out[SIDE];
    memcpy(padded_bias, bias, count * sizeof *bias);
    memcpy(padded_multipliers, multipliers, count * sizeof *multipliers);
    rows_4(matrix, weights, 0, padded_bias, padded_multipliers, x, padded_out);
    memcpy(out, padded_out, count * sizeof *out);
}

void rnn_edge_blocks_narrow(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                            uint32_t count, const int16_t *x, int16_t *out) {
    const size_t stride = (size_t)((matrix->columns + SIDE - 1U) / SIDE) * BLOCK;
    const size_t groups = (matrix->rows + SIDE - 1U) / SIDE;
    const uint8_t *weights =
        (const uint8_t *)matrix->weights + (gate * groups + first / SIDE) * stride;
    const int32_t *bias = matrix->narrow_bias + (size_t)gate * matrix->rows + first;
    const int32_t *multipliers = matrix->multipliers + (size_t)gate * matrix->rows + first;
    if (count == 8 * SIDE) {
        rows_32(matrix, weights, stride, bias, multipliers, x, out);
        return;
    }
    while (count != 0) {
        const uint32_t rows = count >= 2 * SIDE ? 2 * SIDE : count >= SIDE ? SIDE : count;
        if (rows == 2 * SIDE) {
            rows_8(matrix, weights, stride, bias, multipliers, x, out);
        } else if (rows == SIDE) {
            rows_4(matrix, weights, stride, bias, multipliers, x, out);
        } else {
            last_rows(matrix, weights, rows, bias, multipliers, x, out);
        }
        weights += (size_t)(rows / SIDE) * stride;
        bias += rows;
        multipliers += rows;
        out += rows;
        count -= rows;
    }
}

#endif
