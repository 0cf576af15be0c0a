/*
 * The system registers of an Arm Cortex-M that parts of boards use.
 *
 * Source: Armv6-M, Armv7-M and Armv8-M Architecture Reference Manuals, "System Control Space".
 */
#ifndef RNN_EDGE_CORTEX_M_H
#define RNN_EDGE_CORTEX_M_H

#include <stdint.h>

#define RNN_EDGE_REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Lets an external interrupt through. */
static inline void rnn_edge_enable_interrupt(uint32_t number) {
    RNN_EDGE_REGISTER(UINT32_C(0xE000E100) + 4U * (number / 32U)) = UINT32_C(1) << (number % 32U);
}

/* Lets an external interrupt through no more, and takes back that it is pending. */
static inline void rnn_edge_forget_interrupt(uint32_t number) {
    RNN_EDGE_REGISTER(UINT32_C(0xE000E180) + 4U * (number / 32U)) = UINT32_C(1) << (number % 32U);
    RNN_EDGE_REGISTER(UINT32_C(0xE000E280) + 4U * (number / 32U)) = UINT32_C(1) << (number % 32U);
}

static inline void rnn_edge_data_barrier(void) {
    __asm__ volatile("dsb" ::: "memory");
}

#endif
