/*
 * The order in which a board begins.
 */
#include "board/parts.h"

void rnn_edge_board_begin(void) {
    rnn_edge_cause_begin();
    rnn_edge_clock_begin();
    rnn_edge_ticks_begin();
    rnn_edge_led_begin();
    rnn_edge_transport_begin();
}
