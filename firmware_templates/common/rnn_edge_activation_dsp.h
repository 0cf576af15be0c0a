/*
 * Logistic function and hyperbolic tangent without branches: the bits of rnn_edge_activation.h.
 *
 * The table has the right half of the curve, which is odd about its middle, and so are the results:
 * -floor((v + half) / 2^n) is what ~v gives in the place of v. A sign is taken off by xor before
 * the table and put back by xor behind it.
 */
#ifndef RNN_EDGE_ACTIVATION_DSP_H
#define RNN_EDGE_ACTIVATION_DSP_H

#include "rnn_edge_activation.h"
#include "rnn_edge_dsp.h"

#if defined(RNN_EDGE_DSP)

/* Constants that stay in registers; a compiler that knew them would take them apart. */
typedef struct {
    uint32_t before;   /* address of what would be the entry before the table's first */
    uint32_t three;    /* by which an argument is multiplied */
    uint32_t one;      /* 2^8, an entry's distance to the next */
    uint32_t spread;   /* 2^16 - 1 */
    uint32_t middle;   /* 2^23, half of the table's scale times a distance */
    uint32_t logistic; /* what is added to a value before it becomes a result */
    uint32_t product;  /* what is added to a product before it becomes one */
} rnn_edge_constants;

/* A gate is its value, 1..32767, + 2^17: as two lanes, the value and a 2. */
#define RNN_EDGE_GATE ((uint32_t)2 << 16)

static inline uint32_t rnn_edge_in_register(uint32_t value) {
    __asm__("" : "+r"(value));
    return value;
}

static inline rnn_edge_constants rnn_edge_constants_now(void) {
    return (rnn_edge_constants){
        rnn_edge_in_register((uint32_t)(uintptr_t)rnn_edge_sigmoid_table - 2U),
        rnn_edge_in_register(3),
        rnn_edge_in_register(256),
        rnn_edge_in_register(65535),
        rnn_edge_in_register((uint32_t)1 << 23),
        rnn_edge_in_register((RNN_EDGE_GATE << 9) + ((uint32_t)1 << 23) + 256U),
        rnn_edge_in_register(16385),
    };
}

/* The curve above its middle, 0..2^23, index - 1 + fraction / 2^8 entries from the table's first;
 * index 1..255, fraction 0..255. */
static inline uint32_t rnn_edge_above_middle(const rnn_edge_constants *k, uint32_t index,
                                             uint32_t fraction) {
    uint32_t neighbours;
    __asm__("ldr %0, [%1, %2, lsl #1]" : "=r"(neighbours) : "r"(k->before), "r"(index));
    /* As lanes 2^8 - fraction and fraction. Entries are 2^15 or more, and as lanes by 2^16 too
     * small: 2^24 in the sum, of which 2^23 are above the middle. */
    const uint32_t parts = fraction * k->spread + k->one;
    return rnn_edge_smlad(neighbours, parts, k->middle);
}

/* 1 / (1 + exp(-x)), x at scale 2^-11 and -65536..65535, as a gate. */
static inline uint32_t rnn_edge_gate(const rnn_edge_constants *k, int32_t x) {
    const uint32_t sign = (uint32_t)rnn_edge_sign(x);
    uint32_t position = (((uint32_t)x ^ sign) - sign) * k->three + k->one;
    /* Up to the last two entries; in between the result is the largest already. */
    __asm__("usat %0, #16, %1" : "=r"(position) : "r"(position));
    const uint32_t above = rnn_edge_above_middle(k, position >> 8, position & 255U);
    return (uint32_t)((int32_t)((above ^ sign) + k->logistic) >> 9);
}

/* tanh(x), x at scale 2^-11 and within 2^28; the argument is saturated. */
static inline int32_t rnn_edge_tanh_of_sum(const rnn_edge_constants *k, int32_t x) {
    const uint32_t sign = (uint32_t)rnn_edge_sign(x);
    uint32_t twice;
    __asm__("usat %0, #14, %1, lsl #1" : "=r"(twice) : "r"(((uint32_t)x ^ sign) - sign));
    const uint32_t position = twice * k->three + k->one;
    const uint32_t above = rnn_edge_above_middle(k, position >> 8, position & 255U);
    return (int32_t)((above ^ sign) + 128U) >> 8;
}

/* tanh(x), x at scale 2^-13 and within 2^28; it is saturated. */
static inline int32_t rnn_edge_tanh_of(const rnn_edge_constants *k, int32_t x) {
    const uint32_t sign = (uint32_t)rnn_edge_sign(x);
    uint32_t magnitude;
    __asm__("usat %0, #15, %1" : "=r"(magnitude) : "r"(((uint32_t)x ^ sign) - sign));
    /* In halves of 2^-8 of an entry; a half is rounded up where x is not negative. */
    const uint32_t halves = magnitude * k->three + 513U + sign;
    const uint32_t above = rnn_edge_above_middle(k, halves >> 9, (halves >> 1) & 255U);
    return (int32_t)((above ^ sign) + 128U) >> 8;
}

/* A gate times x, int16, as rnn_edge_multiply(gate, x, 15). x as two lanes is its value and its
 * sign, so that 2 is taken off the rounding term where x is negative. */
static inline int32_t rnn_edge_gate_times(const rnn_edge_constants *k, uint32_t gate, int32_t x) {
    return (int32_t)rnn_edge_smlad(gate, (uint32_t)x, k->product) >> 15;
}

#endif

#endif
