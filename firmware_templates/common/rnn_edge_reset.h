/*
 * Reset policies: when a stream that runs for ever forgets.
 *
 * A policy is a constant, and acts before a step: the state that a step leaves is the one that is
 * read and saved, whatever becomes of it before the next step. A model without a policy calls
 * nothing of this.
 */
#ifndef RNN_EDGE_RESET_H
#define RNN_EDGE_RESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnn_edge_model.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a policy remembers of a stream. It begins as 0 and cannot overflow. */
typedef struct {
    /* every: since the last reset. quiet: in a row, as far as it matters. decay: modulo 2^shift */
    uint32_t frames;
} rnn_edge_reset_counter;

typedef struct rnn_edge_reset_policy rnn_edge_reset_policy;

/*
 * Does what a policy does before the step that takes a frame.
 *
 * counter  read and replaced
 * state    [model->state_values], read and replaced
 * x        [model->layers[0].x.columns], the frame to come
 *
 * Returns whether the state was set to zero, so that the frame begins a stream.
 */
typedef bool rnn_edge_reset_rule(const rnn_edge_reset_policy *policy, const rnn_edge_model *model,
                                 rnn_edge_reset_counter *counter, int16_t *state, const int16_t *x);

struct rnn_edge_reset_policy {
    rnn_edge_reset_rule *prepare; /* one of those below */
    uint32_t kind;                /* 1 every, 2 quiet by mean, 3 quiet by magnitude, 4 decay */
    uint32_t frames;              /* every and quiet: 1..2^31 - 1; else 0 */
    int32_t level;                /* quiet: greatest sum of a quiet frame; else 0 */
    uint32_t shift;               /* decay: 1..15; else 0 */
};

/* Zero after every `frames` frames. */
rnn_edge_reset_rule rnn_edge_reset_every;

/* Zero before the last of `frames` quiet frames in a row, once until a frame is not quiet. A frame
 * is quiet whose sum of values, or of their sizes, is at most `level`; at most 65,535 values. */
rnn_edge_reset_rule rnn_edge_reset_quiet_mean;
rnn_edge_reset_rule rnn_edge_reset_quiet_magnitude;

/* Every value loses 1 / 2^shift of itself: floor((size + d) / 2^shift) of its size, where d is the
 * counter with its `shift` bits reversed. One unit is lost within 2^shift frames. */
rnn_edge_reset_rule rnn_edge_reset_decay;

/*
 * A saved stream, little-endian, S = RNN_EDGE_BLOB_BYTES(state_values):
 *
 *   offset  bytes  content
 *   0       S      the saved state, as rnn_edge_model_save writes it
 *   S       16     kind, frames, level and shift of the policy
 *   S + 16  4      the counter
 *   S + 20  4      CRC-32 of all bytes before
 */
#define RNN_EDGE_STREAM_BLOB_BYTES(state_values) (RNN_EDGE_BLOB_BYTES(state_values) + 24U)

/* Writes RNN_EDGE_STREAM_BLOB_BYTES(state_values) bytes to blob and returns that number. */
size_t rnn_edge_reset_save(const rnn_edge_reset_policy *policy, const rnn_edge_model *model,
                           const rnn_edge_reset_counter *counter, const int16_t *state,
                           uint8_t *blob);

/* Reads the stream back. On any result but RNN_EDGE_OK nothing has changed. */
rnn_edge_status rnn_edge_reset_restore(const rnn_edge_reset_policy *policy,
                                       const rnn_edge_model *model, rnn_edge_reset_counter *counter,
                                       int16_t *state, const uint8_t *blob, size_t length);

#ifdef __cplusplus
}
#endif

#endif
