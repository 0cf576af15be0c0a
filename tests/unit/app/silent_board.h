/*
 * A board that says nothing, remembers nothing and never starts again: for programs that push
 * samples and read the application's own accounts. Include it once, in the program.
 */
#ifndef SILENT_BOARD_H
#define SILENT_BOARD_H

#include <stdio.h>
#include <stdlib.h>

#include "rnn_edge_board.h"

static void require(bool is_so, const char *what) {
    if (!is_so) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

void rnn_edge_platform_start_ticks(void) {
}

uint32_t rnn_edge_platform_ticks(void) {
    return 3;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

void rnn_edge_board_begin(void) {
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    (void)to;
    (void)capacity;
    return 0;
}

uint32_t rnn_edge_board_lost(void) {
    return 0;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return true;
}

void rnn_edge_board_idle(void) {
}

void rnn_edge_board_show(bool is_detected) {
    (void)is_detected;
}

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    (void)timeout_ms;
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return RNN_EDGE_START_POWER;
}

_Noreturn void rnn_edge_board_restart(void) {
    require(false, "the board restarts");
    abort();
}

const rnn_edge_medium *rnn_edge_board_retained(void) {
    return NULL;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    return NULL;
}

#endif
