/*
 * The model of rnn_edge_config.h with its one stream: what a host is given, whatever carries it.
 *
 * Numbers go over every link in little-endian order.
 */
#ifndef RNN_EDGE_SERVED_H
#define RNN_EDGE_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnn_edge_config.h"

enum {
    RNN_EDGE_SERVED_FRAME_BYTES = 2 * RNN_EDGE_CONFIG_INPUTS,
    RNN_EDGE_SERVED_OUTPUT_BYTES = 2 * RNN_EDGE_CONFIG_OUTPUTS,
    RNN_EDGE_SERVED_STATE_BYTES = 2 * RNN_EDGE_CONFIG_STATE_VALUES,
    RNN_EDGE_SERVED_BLOB_BYTES = RNN_EDGE_BLOB_BYTES(RNN_EDGE_CONFIG_STATE_VALUES),
    RNN_EDGE_SERVED_IDENTITY_BYTES = RNN_EDGE_DIGEST_BYTES + 3 * 4,
    RNN_EDGE_SERVED_COUNTER_BYTES = 4 + 8 + 4 + 4
};

/* What a stream takes where it is saved: its state, and what its reset policy remembers. */
#ifdef RNN_EDGE_CONFIG_RESET_POLICY
#define RNN_EDGE_SERVED_STREAM_BYTES RNN_EDGE_STREAM_BLOB_BYTES(RNN_EDGE_CONFIG_STATE_VALUES)
#else
#define RNN_EDGE_SERVED_STREAM_BYTES RNN_EDGE_BLOB_BYTES(RNN_EDGE_CONFIG_STATE_VALUES)
#endif

/* A stream at its start, and nothing counted: what a program begins with. */
void rnn_edge_served_begin(void);

/* Sets the state to zero; the reset policy begins anew. */
void rnn_edge_served_reset(void);

/* Steps one frame, inputs i16[]. is_deployed: as an application does, under the reset policy that
 * the model was exported with. Returns whether the policy set the state to zero before. */
bool rnn_edge_served_step(const uint8_t *frame, bool is_deployed);

/* The same for values [RNN_EDGE_CONFIG_INPUTS], always under the reset policy. */
bool rnn_edge_served_step_values(const int16_t *values);

/* The frame of the last step, [RNN_EDGE_CONFIG_INPUTS], and its outputs,
 * [RNN_EDGE_CONFIG_OUTPUTS]. */
const int16_t *rnn_edge_served_frame(void);
const int16_t *rnn_edge_served_outputs(void);

/* Steps since the start, and ticks of the slowest of them. */
uint32_t rnn_edge_served_steps(void);
uint32_t rnn_edge_served_most_ticks(void);

/* Writes the state as rnn_edge_model_save does. */
void rnn_edge_served_save(uint8_t *blob);

/* Takes a state; the reset policy begins anew. On any result but RNN_EDGE_OK nothing changes. */
rnn_edge_status rnn_edge_served_restore(const uint8_t *blob, size_t length);

/* The same with what the reset policy remembers, RNN_EDGE_SERVED_STREAM_BYTES of it. */
void rnn_edge_served_save_stream(uint8_t *blob);
rnn_edge_status rnn_edge_served_restore_stream(const uint8_t *blob, size_t length);

/* These write to a buffer and return where it goes on. */

/* Frame and outputs of the last step, i16[]. */
uint8_t *rnn_edge_served_put_frame(uint8_t *to);
uint8_t *rnn_edge_served_put_outputs(uint8_t *to);

/* State values, i16[]. */
uint8_t *rnn_edge_served_put_state(uint8_t *to);

/* Digest u8[16], inputs u32, outputs u32, state values u32. */
uint8_t *rnn_edge_served_put_identity(uint8_t *to);

/* Steps u32, ticks u64, most ticks of a step u32, stack bytes u32. */
uint8_t *rnn_edge_served_put_counters(uint8_t *to);

/* Reads a frame i16[] into values [RNN_EDGE_CONFIG_INPUTS]. */
void rnn_edge_served_get_frame(const uint8_t *from, int16_t *values);

/* An export of an earlier version may be without rnn_edge_bytes.h. */
uint8_t *rnn_edge_served_put32(uint8_t *to, uint32_t value);
uint32_t rnn_edge_served_get32(const uint8_t *from);

/* What a platform provides. */

/* Sets the counter of ticks back to 0. */
void rnn_edge_platform_start_ticks(void);

/* Ticks since the start, less than 2^24 of them; always 0 where there is no counter. */
uint32_t rnn_edge_platform_ticks(void);

/* Bytes of the stack that were ever in use; 0 where that is not known. */
uint32_t rnn_edge_platform_stack_bytes(void);

#endif
