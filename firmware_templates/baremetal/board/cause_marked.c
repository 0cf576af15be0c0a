/*
 * Why a board started, where no register says it: a mark in a memory that a restart leaves alone.
 * Without a mark power came. A mark that a watchdog runs means that it was what restarted.
 */
#include "board/parts.h"

#define MARKED UINT32_C(0x52E57A00)

static __attribute__((section(".noinit"))) uint32_t mark;
static rnn_edge_board_start started;

void rnn_edge_cause_begin(void) {
    const uint32_t cause = mark ^ MARKED;
    mark = 0;
    started = cause == RNN_EDGE_START_SOFTWARE || cause == RNN_EDGE_START_WATCHDOG
                  ? (rnn_edge_board_start)cause
                  : RNN_EDGE_START_POWER;
}

void rnn_edge_cause_note(rnn_edge_board_start cause) {
    mark = MARKED ^ (uint32_t)cause;
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return started;
}
