/*
 * The last steps of the model and the last detections, for a host that asks later.
 */
#ifndef RNN_EDGE_STEP_LOG_H
#define RNN_EDGE_STEP_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "rnn_edge_decision.h"
#include "rnn_edge_served.h"

enum {
    RNN_EDGE_LOG_RESET = 1,     /* the state was zero before this step */
    RNN_EDGE_LOG_STATE = 2,     /* a host had set the state before this step */
    RNN_EDGE_LOG_DEPLOYED = 4,  /* stepped under the reset policy */
    RNN_EDGE_LOG_DECIDED = 8,   /* label and score are a decision */
    RNN_EDGE_LOG_RESTORED = 16, /* the state before this step was saved before a restart */
    RNN_EDGE_LOG_DROPPED = 32,  /* frames were dropped before this step */
    RNN_EDGE_LOG_FAULTY = 64    /* a sensor is faulty */
};

enum {
    /* Flags u8, label u8, score u32, frame i16[], outputs i16[]. */
    RNN_EDGE_LOG_RECORD_BYTES = 6 + RNN_EDGE_SERVED_FRAME_BYTES + RNN_EDGE_SERVED_OUTPUT_BYTES,
    /* Number u32, step u32, 1 for a begin u8, label u8, score u32. */
    RNN_EDGE_EVENT_BYTES = 14
};

/* Nothing is logged, and the next step begins a stream at zero. */
void rnn_edge_log_begin(void);

/* What the next record has to say besides. The state being another one takes back what was said of
 * the state before. */
void rnn_edge_log_state_is(uint8_t flag);
void rnn_edge_log_note_dropped(void);

/* Logs the last step of the model. decision: or NULL, where none was made. */
void rnn_edge_log_step(bool is_deployed, bool was_reset, const rnn_edge_decision *decision);

/*
 * Writes records from a step on, or from the oldest one where that is not there: first step u32,
 * steps so far u32, records.
 *
 * Returns where `to`, with room for `room` bytes and for 8 at least, goes on.
 */
uint8_t *rnn_edge_log_put(uint8_t *to, uint32_t room, uint32_t step);

/* Remembers a detection that began or ended with the last step, and returns its number. */
uint32_t rnn_edge_log_event(bool has_begun, uint8_t label, uint32_t score);

/* Events so far; modulo 2^32, as their numbers. */
uint32_t rnn_edge_log_events(void);

/* Writes one that is remembered: RNN_EDGE_EVENT_BYTES. */
uint8_t *rnn_edge_log_put_event(uint8_t *to, uint32_t number);

/* The same for events: first number u32, events so far u32, events. */
uint8_t *rnn_edge_log_put_events(uint8_t *to, uint32_t room, uint32_t number);

#endif
