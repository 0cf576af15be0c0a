/*
 * Starts again by the processor's own request.
 *
 * Source: Armv6-M, Armv7-M and Armv8-M Architecture Reference Manuals, "Application Interrupt and
 * Reset Control Register".
 */
#include "board/cortex_m.h"
#include "board/parts.h"

#define AIRCR RNN_EDGE_REGISTER(0xE000ED0C)
#define KEY UINT32_C(0x05FA0000)
#define REQUEST UINT32_C(4)

_Noreturn void rnn_edge_board_restart(void) {
    rnn_edge_cause_note(RNN_EDGE_START_SOFTWARE);
    rnn_edge_data_barrier();
    AIRCR = KEY | REQUEST;
    rnn_edge_data_barrier();
    /* It takes a few clocks. */
    for (;;) {
    }
}
