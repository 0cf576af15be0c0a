/*
 * The counter of clock cycles of Cortex-M3 and larger, for platforms whose SDK has none.
 *
 * Source: Arm, "Armv7-M Architecture Reference Manual" (DDI 0403), C1.6.5 DEMCR and C1.8 DWT; the
 * same in "Armv8-M Architecture Reference Manual" (DDI 0553).
 */
#ifndef RNN_EDGE_CYCLES_H
#define RNN_EDGE_CYCLES_H

#include <stdint.h>

#if defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__) ||      \
    defined(__ARM_ARCH_8_1M_MAIN__)

#define RNN_EDGE_CYCLES_DEMCR (*(volatile uint32_t *)0xE000EDFCu)
#define RNN_EDGE_CYCLES_CONTROL (*(volatile uint32_t *)0xE0001000u)
#define RNN_EDGE_CYCLES_COUNT (*(volatile uint32_t *)0xE0001004u)

static inline void rnn_edge_cycles_start(void) {
    RNN_EDGE_CYCLES_DEMCR |= 1u << 24; /* TRCENA: the unit has its clock */
    RNN_EDGE_CYCLES_CONTROL |= 1u;     /* CYCCNTENA */
}

static inline uint32_t rnn_edge_cycles(void) {
    return RNN_EDGE_CYCLES_COUNT;
}

#else

static inline void rnn_edge_cycles_start(void) {
}

/* Always the same: there is no counter. */
static inline uint32_t rnn_edge_cycles(void) {
    return 0;
}

#endif

#endif
