/*
 * Counts the instructions that the processor has finished.
 *
 * Source: The RISC-V Instruction Set Manual, volume II, "Machine-Level CSRs".
 */
#include "board/parts.h"
#include "rnn_edge_served.h"

static uint32_t instructions(void) {
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count)::"memory");
    return count;
}

static uint32_t start;

void rnn_edge_ticks_begin(void) {
}

void rnn_edge_platform_start_ticks(void) {
    start = instructions();
}

uint32_t rnn_edge_platform_ticks(void) {
    return instructions() - start;
}
