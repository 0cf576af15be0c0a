/*
 * No flash beside the program that could be written.
 */
#include "board/parts.h"

const rnn_edge_medium *rnn_edge_board_flash(void) {
    return NULL;
}
