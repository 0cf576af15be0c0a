/*
 * Received bytes on their way from the interrupt to the main loop.
 */
#ifndef RNN_EDGE_RECEIVE_RING_H
#define RNN_EDGE_RECEIVE_RING_H

#include <stdint.h>

/* Keeps a byte, or counts it as lost where there is no room: in the interrupt. */
void rnn_edge_ring_put(uint8_t byte);

/* Counts bytes that the UART itself lost: in the interrupt. */
void rnn_edge_ring_lose(uint32_t count);

#endif
