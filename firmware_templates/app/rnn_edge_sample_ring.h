/*
 * Samples on their way to the front end: one producer at a time, which may be an interrupt or
 * another core, and one consumer, the main loop. Neither waits for the other.
 *
 * A sample is RNN_EDGE_APP_SAMPLE_VALUES values: one of sound, or one of each channel of sensors.
 * Where samples are lost there is a gap: what came before it is still there, and nothing is taken
 * behind it before the consumer has come to it and said so.
 */
#ifndef RNN_EDGE_SAMPLE_RING_H
#define RNN_EDGE_SAMPLE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnn_edge_app_config.h"

typedef RNN_EDGE_APP_SAMPLE rnn_edge_sample;

/* The producer's side. */

/* Takes copies of samples [count][RNN_EDGE_APP_SAMPLE_VALUES] as far as there is room, and returns
 * of how many. */
size_t rnn_edge_sample_ring_put(const rnn_edge_sample *samples, size_t count);

/* Begins a gap behind the last sample that was taken. */
void rnn_edge_sample_ring_lose(void);

/* The consumer's side. */

/* The oldest samples that lie together: sets count to how many; 0 where there are none. They stay
 * until they are dropped. */
const rnn_edge_sample *rnn_edge_sample_ring_peek(size_t *count);

/* Gives back the places of so many of them. */
void rnn_edge_sample_ring_drop(size_t count);

/* Whether all samples before a gap are taken; if so the gap is over. */
bool rnn_edge_sample_ring_end_gap(void);

/* Samples that wait. */
uint32_t rnn_edge_sample_ring_filled(void);

/* Gives all places back, and ends a gap; nobody may put samples meanwhile. Returns how many samples
 * were in them. */
uint32_t rnn_edge_sample_ring_empty(void);

/* Whether its places can be what they are: false where something wrote over them. */
bool rnn_edge_sample_ring_is_sound(void);

#endif
