/*
 * The front end of the bundle with its one stream: from samples to the model's frames.
 */
#ifndef RNN_EDGE_FRONT_H
#define RNN_EDGE_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnn_edge_decision.h"
#include "rnn_edge_sample_ring.h"

#include RNN_EDGE_APP_FRONT_HEADER

/* What is saved of it: its key u32, and what it remembers besides the samples of the next frame. */
#define RNN_EDGE_FRONT_BYTES (4U + RNN_EDGE_APP_FRONT_SAVED_BYTES)

/* At the start of a stream. */
void rnn_edge_front_begin(void);

/* Behind a gap: no frame holds samples from both sides of it. */
void rnn_edge_front_gap(void);

/*
 * Takes samples until a frame is complete.
 *
 * samples  [count][RNN_EDGE_APP_SAMPLE_VALUES]
 * frame    [RNN_EDGE_CONFIG_INPUTS]
 * taken    set to how many samples were taken, at most count
 *
 * True: the frame is complete. False: all samples were taken and more are needed.
 */
bool rnn_edge_front_take(const rnn_edge_sample *samples, size_t count, int16_t *frame,
                         size_t *taken);

/* What is known of the sensors behind the last frame; NULL of sound, and where nothing asks for
 * it. */
const rnn_edge_decision_sensors *rnn_edge_front_sensors(void);

/* Write or read RNN_EDGE_FRONT_BYTES. What is read is taken only where it is of this front end and
 * can be: else false, and it begins anew. Either way it goes on as behind a gap. */
void rnn_edge_front_save(uint8_t *to);
bool rnn_edge_front_restore(const uint8_t *from);

#endif
