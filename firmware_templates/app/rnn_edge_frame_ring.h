/*
 * Frames on their way to the model: one producer at a time, which may be an interrupt or another
 * core, and one consumer, the main loop. Neither waits for the other.
 */
#ifndef RNN_EDGE_FRAME_RING_H
#define RNN_EDGE_FRAME_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "rnn_edge_app_config.h"
#include "rnn_edge_config.h"

/* The producer's side. */

/* Takes a copy of a frame, or returns false where there is no room. */
bool rnn_edge_frame_ring_put(const int16_t *frame);

/* The consumer's side. */

/* Copies the oldest frame and gives its place back, or returns false where there is none. */
bool rnn_edge_frame_ring_take(int16_t *frame);

/* Frames that wait. */
uint32_t rnn_edge_frame_ring_filled(void);

/* Gives all places back and returns how many frames were in them. */
uint32_t rnn_edge_frame_ring_empty(void);

/* Whether its places can be what they are: false where something wrote over them. */
bool rnn_edge_frame_ring_is_sound(void);

#endif
