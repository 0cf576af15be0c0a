/*
 * Start of a RISC-V processor in machine mode.
 *
 * Source: The RISC-V Instruction Set Manual, volume II, "Machine-Level CSRs".
 */
#include "platform.h"

/* The entry of the image, and where it goes from the first exception on. */
void rnn_edge_reset(void);

_Noreturn void rnn_edge_fault(void) {
    rnn_edge_exit(RNN_EDGE_END_FAULT);
}

/* The address of a trap handler has to be a multiple of 4. The stack begins anew: it may be the one
 * that left RAM, and each trap of this would come here again. */
static __attribute__((naked, aligned(4))) void on_trap(void) {
    __asm__ volatile("la sp, rnn_edge_stack_top\n\t"
                     "j rnn_edge_fault");
}

__attribute__((naked, section(".vectors"))) void rnn_edge_reset(void) {
    __asm__ volatile("la sp, rnn_edge_stack_top\n\t"
                     "la t0, %0\n\t"
                     "csrw mtvec, t0\n\t"
                     "j rnn_edge_begin" ::"i"(on_trap));
}
