/*
 * No LED.
 */
#include "board/parts.h"

void rnn_edge_led_begin(void) {
}

void rnn_edge_board_show(bool is_detected) {
    (void)is_detected;
}
