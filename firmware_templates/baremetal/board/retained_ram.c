/*
 * Two places of RAM that nothing clears at the start.
 */
#include "rnn_edge_retained.h"

static __attribute__((section(".noinit"), aligned(4))) rnn_edge_retained_places places;
RNN_EDGE_RETAINED_MEDIUM(places)
