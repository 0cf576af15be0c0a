/*
 * Instructions of Arm processors that work on two int16 in a register.
 *
 * Source: Arm Architecture Reference Manuals (Armv6, Armv7-M), "Parallel addition and subtraction",
 * "Signed multiply", "Saturating instructions".
 */
#ifndef RNN_EDGE_DSP_H
#define RNN_EDGE_DSP_H

#include <stdint.h>

#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_DSP)

/* rnn_edge_gates of a matrix in blocks: what all rows have in common is found once. */
void rnn_edge_blocks_gates(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t gates,
                           uint32_t first, uint32_t count, const int16_t *x, int16_t *out);

/* sum + the product of the lower halves + that of the upper ones, modulo 2^32. */
static inline uint32_t rnn_edge_smlad(uint32_t a, uint32_t b, uint32_t sum) {
    uint32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

/* The upper byte of each half as an int16. */
static inline uint32_t rnn_edge_upper_bytes(uint32_t halves) {
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(halves));
    return result;
}

/* (a * b + 2^31) / 2^32, rounded down. */
static inline int32_t rnn_edge_smmulr(int32_t a, int32_t b) {
    int32_t result;
    __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

/* To -32768..32767. */
static inline int32_t rnn_edge_ssat16(int32_t value) {
    int32_t result;
    __asm__("ssat %0, #16, %1" : "=r"(result) : "r"(value));
    return result;
}

#endif

#endif
