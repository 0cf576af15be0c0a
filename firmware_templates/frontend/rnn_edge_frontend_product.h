/*
 * The products that the front end is made of, in whichever way a processor has them.
 *
 * RNN_EDGE_SHORT_PRODUCTS: 32 bits are all that a product has, as on Armv6-M. The results are the
 * same, from halves of the factors.
 */
#ifndef RNN_EDGE_FRONTEND_PRODUCT_H
#define RNN_EDGE_FRONTEND_PRODUCT_H

#include <stdint.h>

#include "rnn_edge_fixedpoint.h"

#if defined(__ARM_ARCH_6M__) && !defined(RNN_EDGE_SHORT_PRODUCTS)
#define RNN_EDGE_SHORT_PRODUCTS
#endif

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(RNN_EDGE_PORTABLE)

/* Not every compiler's <arm_acle.h> has the first two. */

/* floor(value * low half of pair / 2^16). */
static inline int32_t rnn_edge_product_low(int32_t value, uint32_t pair) {
    int32_t found;
    __asm__("smulwb %0, %1, %2" : "=r"(found) : "r"(value), "r"(pair));
    return found;
}

/* floor(value * high half of pair / 2^16). */
static inline int32_t rnn_edge_product_high(int32_t value, uint32_t pair) {
    int32_t found;
    __asm__("smulwt %0, %1, %2" : "=r"(found) : "r"(value), "r"(pair));
    return found;
}

/* sum + floor(value * low half of pair / 2^16). */
static inline int32_t rnn_edge_add_product_low(int32_t sum, int32_t value, uint32_t pair) {
    int32_t found;
    __asm__("smlawb %0, %1, %2, %3" : "=r"(found) : "r"(value), "r"(pair), "r"(sum));
    return found;
}

/* floor(value * factor / 2^16). */
static inline int32_t rnn_edge_product(int32_t value, int16_t factor) {
    return rnn_edge_product_low(value, (uint32_t)factor);
}

#else

/* floor(value * factor / 2^16). */
static inline int32_t rnn_edge_product(int32_t value, int16_t factor) {
#if defined(RNN_EDGE_SHORT_PRODUCTS)
    /* The upper half is exact, the lower one keeps its carry. */
    const int32_t upper = rnn_edge_floor_shift32(value, 16) * factor;
    const int32_t lower = (int32_t)((uint32_t)value & 0xFFFFU) * factor;
    return upper + rnn_edge_floor_shift32(lower, 16);
#else
    return (int32_t)rnn_edge_floor_shift64((int64_t)value * factor, 16);
#endif
}

/* A 16-bit half as what it is: the value of its bits in two's complement. */
static inline int16_t rnn_edge_half(uint32_t bits) {
    return (int16_t)((int32_t)(bits & 0xFFFFU) - (int32_t)((bits & 0x8000U) << 1));
}

/* floor(value * low half of pair / 2^16). */
static inline int32_t rnn_edge_product_low(int32_t value, uint32_t pair) {
    return rnn_edge_product(value, rnn_edge_half(pair));
}

/* floor(value * high half of pair / 2^16). */
static inline int32_t rnn_edge_product_high(int32_t value, uint32_t pair) {
    return rnn_edge_product(value, rnn_edge_half(pair >> 16));
}

/* sum + floor(value * low half of pair / 2^16). */
static inline int32_t rnn_edge_add_product_low(int32_t sum, int32_t value, uint32_t pair) {
    return sum + rnn_edge_product_low(value, pair);
}

#endif

/* re^2 + im^2 of a bin, each below 2^25 in magnitude. */
static inline uint64_t rnn_edge_power(const int32_t *bin) {
#if defined(RNN_EDGE_SHORT_PRODUCTS)
    uint32_t upper = 0;
    uint32_t middle = 0;
    uint32_t lower = 0;
    for (unsigned k = 0; k < 2U; ++k) {
        const uint32_t size = bin[k] < 0 ? 0U - (uint32_t)bin[k] : (uint32_t)bin[k];
        const uint32_t high = size >> 13;
        const uint32_t low = size & 0x1FFFU;
        upper += high * high;
        middle += high * low;
        lower += low * low;
    }
    return ((uint64_t)upper << 26) + ((uint64_t)middle << 14) + lower;
#else
    return (uint64_t)((int64_t)bin[0] * bin[0] + (int64_t)bin[1] * bin[1]);
#endif
}

/* power * weight, for a power below 2^49 and a weight of at most 2^15. */
static inline uint64_t rnn_edge_weighted(uint64_t power, uint32_t weight) {
    const uint32_t low = (uint32_t)power;
    const uint32_t high = (uint32_t)(power >> 32) * weight;
#if defined(RNN_EDGE_SHORT_PRODUCTS)
    return ((uint64_t)high << 32) + ((uint64_t)((low >> 16) * weight) << 16) +
           (low & 0xFFFFU) * weight;
#else
    return ((uint64_t)high << 32) + (uint64_t)low * weight;
#endif
}

#endif
