/*
 * What a board does that cannot go on: it starts again, unless a debugger is there, which finds it
 * where it ended.
 *
 * Source: Armv7-M and Armv8-M Architecture Reference Manuals, "Debug Halting Control and Status
 * Register"; in Armv6-M a program need not be able to read it.
 */
#include "board/cortex_m.h"
#include "board/parts.h"
#include "platform.h"

#define DHCSR RNN_EDGE_REGISTER(0xE000EDF0)
#define DEBUGGER_IS_THERE UINT32_C(1)

_Noreturn void rnn_edge_exit(int code) {
#if defined(__ARM_ARCH_6M__)
    (void)code;
#else
    if ((DHCSR & DEBUGGER_IS_THERE) != 0) {
        /* In r0, for whoever looks. */
        register int r0 __asm__("r0") = code;
        __asm__ volatile("bkpt 0" ::"r"(r0));
    }
#endif
    rnn_edge_board_restart();
}
