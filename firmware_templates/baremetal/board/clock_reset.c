/*
 * The clock that the processor starts with is the one that it keeps.
 */
#include "board/parts.h"

void rnn_edge_clock_begin(void) {
}
