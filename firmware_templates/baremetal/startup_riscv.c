/*
 * Start of a RISC-V processor in machine mode.
 *
 * Source: The RISC-V Instruction Set Manual, volume II, "Machine-Level CSRs".
 */
#include "platform.h"
#include "rnn_edge_service.h"

/* The entry of the image, and where it goes from the first exception on. */
void rnn_edge_reset(void);

/* The address of a trap handler has to be a multiple of 4. */
static __attribute__((aligned(4))) void on_trap(void) {
    rnn_edge_exit(RNN_EDGE_END_FAULT);
}

__attribute__((naked, section(".vectors"))) void rnn_edge_reset(void) {
    __asm__ volatile("la sp, rnn_edge_stack_top\n\t"
                     "la t0, %0\n\t"
                     "csrw mtvec, t0\n\t"
                     "j rnn_edge_begin" ::"i"(on_trap));
}

static uint32_t instructions(void) {
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count)::"memory");
    return count;
}

static uint32_t start;

void rnn_edge_platform_start_ticks(void) {
    start = instructions();
}

uint32_t rnn_edge_platform_ticks(void) {
    return instructions() - start;
}
