/*
 * No watchdog.
 */
#include "board/parts.h"

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    (void)timeout_ms;
    return false;
}

void rnn_edge_board_feed_watchdog(void) {
}
