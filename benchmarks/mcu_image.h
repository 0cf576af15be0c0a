/*
 * An image that measures something on an emulated Cortex-M: it starts, counts the ticks of the
 * system timer, paints its stack, and writes a result to a file through semihosting.
 *
 * Source: Armv7-M Architecture Reference Manual, "System timer, SysTick"; Arm, "Semihosting for
 * AArch32 and AArch64".
 */
#ifndef MCU_IMAGE_H
#define MCU_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define SYST_CSR (*(volatile uint32_t *)0xE000E010U)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)
#define LARGEST 0x00FFFFFFU
#define PAINT 0xA5C3965AU

enum { OPEN = 1, CLOSE = 2, WRITE = 5, EXIT = 0x18, WRITE_BINARY = 5, STOPPED = 0x20026 };

extern uint32_t rnn_edge_stack_bottom[];
extern uint32_t rnn_edge_stack_top[];
extern uint32_t rnn_edge_paint_end[];
extern uint32_t rnn_edge_bss_start[];
extern uint32_t rnn_edge_bss_end[];

/* What the processor begins with: of each program, and nothing but mcu_run. */
_Noreturn void rnn_edge_reset(void);

static inline uint32_t mcu_now(void) {
    return SYST_CVR;
}

static inline uint32_t mcu_ticks_since(uint32_t start) {
    return (start - SYST_CVR) & LARGEST;
}

static inline uint32_t mcu_host(uint32_t operation, const void *parameters) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = parameters;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

/* Writes a result, whose first word becomes the depth of the stack, behind what measures it. */
static inline _Noreturn void mcu_run(void (*measure)(void), uint32_t *result, uint32_t bytes) {
    static const char name[] = "result.bin";
    for (uint32_t *word = rnn_edge_bss_start; word < rnn_edge_bss_end; ++word) {
        *word = 0;
    }
    for (uint32_t *word = rnn_edge_stack_bottom; word < rnn_edge_paint_end; ++word) {
        *word = PAINT;
    }
    SYST_RVR = LARGEST;
    SYST_CVR = 0;
    SYST_CSR = 5;
    measure();
    const uint32_t *deepest = rnn_edge_stack_bottom;
    while (*deepest == PAINT) {
        ++deepest;
    }
    *result = (uint32_t)((uintptr_t)rnn_edge_stack_top - (uintptr_t)deepest);
    const uint32_t opened[] = {(uint32_t)(uintptr_t)name, WRITE_BINARY, sizeof name - 1U};
    const uint32_t file = mcu_host(OPEN, opened);
    const uint32_t written[] = {file, (uint32_t)(uintptr_t)result, bytes};
    mcu_host(WRITE, written);
    mcu_host(CLOSE, &file);
    mcu_host(EXIT, (const void *)STOPPED);
    for (;;) {
    }
}

typedef union {
    void *address;
    void (*handler)(void);
} mcu_vector;

__attribute__((section(".vectors"), used)) static const mcu_vector mcu_vectors[2] = {
    {.address = rnn_edge_stack_top},
    {.handler = rnn_edge_reset},
};

#endif
