/*
 * Sleeps until a byte comes, or the alarm: a main loop that feeds a watchdog comes round.
 *
 * Source: Armv6-M, Armv7-M and Armv8-M Architecture Reference Manuals, "Wait For Interrupt": a
 * pending interrupt ends the waiting though PRIMASK keeps it from being taken.
 */
#include "board/parts.h"

void rnn_edge_board_idle(void) {
    /* Between the look and the waiting a byte could come that nobody would wake up for. */
    __asm__ volatile("cpsid i" ::: "memory");
    if (rnn_edge_nothing_received()) {
        rnn_edge_alarm_begin();
        __asm__ volatile("dsb\n\twfi" ::: "memory");
        rnn_edge_alarm_end();
    }
    /* What the alarm took back has to be gone before anything is let through. */
    __asm__ volatile("dsb\n\tcpsie i\n\tisb" ::: "memory");
}
