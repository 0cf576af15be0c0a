/*
 * What the parts of a board are to each other. A board's file names one part of each kind; what a
 * part needs to know of the board is in numbers.h, which is written from the same file.
 *
 * clock_*     rnn_edge_clock_begin
 * uart_*      rnn_edge_transport_begin, rnn_edge_board_send, and with receive_ring.c
 * or link_*   rnn_edge_board_receive, rnn_edge_board_lost
 * ticks_*     rnn_edge_ticks_begin, rnn_edge_platform_start_ticks, rnn_edge_platform_ticks, and
 *             where the processor sleeps rnn_edge_alarm_begin, rnn_edge_alarm_end
 * idle_*      rnn_edge_board_idle
 * led_*       rnn_edge_led_begin, rnn_edge_board_show
 * cause_*     rnn_edge_cause_begin, rnn_edge_board_started, rnn_edge_cause_note
 * restart_*   rnn_edge_board_restart
 * watchdog_*  rnn_edge_board_start_watchdog, rnn_edge_board_feed_watchdog
 * retained_*  rnn_edge_board_retained
 * flash_*     rnn_edge_board_flash
 * end_*       rnn_edge_exit
 */
#ifndef RNN_EDGE_BOARD_PARTS_H
#define RNN_EDGE_BOARD_PARTS_H

#include "rnn_edge_board.h"

/* The processor's clock as the board's file says, and the memories that have to keep up. */
void rnn_edge_clock_begin(void);

/* Opens the link. */
void rnn_edge_transport_begin(void);

/* Starts what counts the ticks of rnn_edge_served.h: the processor's clocks, or its instructions.
 */
void rnn_edge_ticks_begin(void);

/* An interrupt that ends the waiting of a processor that has them off, within about a second. */
void rnn_edge_alarm_begin(void);
void rnn_edge_alarm_end(void);

/* The LED, off. */
void rnn_edge_led_begin(void);

/* Finds why the board started, before anything else can change what says so. */
void rnn_edge_cause_begin(void);

/* Keeps in mind that what comes next will have been this, where no register does. */
void rnn_edge_cause_note(rnn_edge_board_start cause);

/* Whether nothing has come that was not fetched; interrupts may be off. */
bool rnn_edge_nothing_received(void);

#endif
