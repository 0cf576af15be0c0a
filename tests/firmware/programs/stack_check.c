/*
 * Has a fault with a stack where there is no memory, as one that left RAM: not every emulated board
 * has nothing below its RAM.
 */
#include "platform.h"
#include "rnn_edge_board.h"
#include "rnn_edge_served.h"

#define NOWHERE UINT32_C(0xF0000040)

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

_Noreturn void rnn_edge_begin(void) {
    rnn_edge_board_begin();
#if defined(__riscv)
    __asm__ volatile("mv sp, %0\n\tunimp" ::"r"(NOWHERE));
#else
    __asm__ volatile("mov sp, %0\n\tudf #0" ::"r"(NOWHERE));
#endif
    for (;;) {
    }
}
