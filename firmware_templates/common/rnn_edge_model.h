/*
 * A model: layers one after the other, then a dense head, at every time step.
 *
 * Generated code describes a model as one constant rnn_edge_model and wraps these functions in
 * the model's own names and types; an application calls the wrappers.
 */
#ifndef RNN_EDGE_MODEL_H
#define RNN_EDGE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "rnn_edge_kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RNN_EDGE_DIGEST_BYTES 16

/*
 * What becomes of the head's result.
 *
 * y         [count], int16 at scale 2^exponent, read and replaced
 */
typedef void rnn_edge_head(int16_t *y, uint32_t count, int exponent);

/* Probabilities at scale 2^-15, 0..32767; exponent is -15..0, count at most 32768. */
rnn_edge_head rnn_edge_softmax;

/* The index of the first of the greatest of y [count], count at least 1. */
uint32_t rnn_edge_label(const int16_t *y, uint32_t count);

typedef struct {
    const char *name;
    const char *const *labels;    /* [head.rows], names of the outputs in ASCII */
    const rnn_edge_layer *layers; /* [layer_count] */
    uint32_t layer_count;
    rnn_edge_matrix head;                  /* outputs by units of the last layer */
    rnn_edge_head *finish;                 /* what becomes of the head's result; or NULL, nothing */
    int8_t head_exponent;                  /* scale of the head's result is 2^head_exponent */
    uint32_t state_values;                 /* sum over the layers */
    uint32_t scratch_values;               /* most that a layer needs */
    int8_t input_exponent;                 /* scale of an input is 2^input_exponent */
    int8_t output_exponent;                /* scale of an output is 2^output_exponent */
    uint8_t digest[RNN_EDGE_DIGEST_BYTES]; /* first bytes of the model's SHA-256 */
} rnn_edge_model;

/* Sets the state to zero, as at the start of a stream. state: [state_values]. */
void rnn_edge_model_reset(const rnn_edge_model *model, int16_t *state);

/*
 * Advances by one frame.
 *
 * state    [state_values], read and replaced
 * scratch  [scratch_values], overwritten
 * x        [layers[0].x.columns]
 * y        [head.rows], overwritten
 */
void rnn_edge_model_step(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                         const int16_t *x, int16_t *y);

/* The two halves of a step: a stream whose output is wanted now and then pays for it only then. */
void rnn_edge_model_advance(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                            const int16_t *x);
void rnn_edge_model_output(const rnn_edge_model *model, const int16_t *state, int16_t *y);

/*
 * Advances by several frames, with the bits of as many single steps.
 *
 * scratch  [scratch_values], of which the last at_once * gates * layers[0].units are for products,
 *          unless layers[0] is local
 * gates    of the first layer
 * at_once  2 or 4, frames whose products with the first layer are there at the same time
 * x        [frames][layers[0].x.columns]
 * y        [frames][head.rows], overwritten
 */
void rnn_edge_model_steps(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                          uint32_t gates, uint32_t at_once, const int16_t *x, uint32_t frames,
                          int16_t *y);

/*
 * A saved state is the same on every machine, little-endian:
 *
 *   offset       bytes  content
 *   0            4      'R' 'N' 'E' 'S'
 *   4            4      layout version, 1
 *   8            16     digest of the model
 *   24           2 * V  the V state values: h of layer 0, its c if it has one, h of layer 1, ...
 *   24 + 2 * V   4      CRC-32 (as in IEEE 802.3 and zlib) of all bytes before
 */
#define RNN_EDGE_BLOB_VERSION 1
#define RNN_EDGE_BLOB_BYTES(state_values) (28U + 2U * (state_values))

typedef enum {
    RNN_EDGE_OK = 0,
    RNN_EDGE_BAD_LENGTH = -1,  /* not the length of this model's blob */
    RNN_EDGE_BAD_MAGIC = -2,   /* not a saved state */
    RNN_EDGE_BAD_VERSION = -3, /* written with another layout */
    RNN_EDGE_BAD_MODEL = -4,   /* saved by another model, or by other weights */
    RNN_EDGE_BAD_CRC = -5,     /* damaged */
    RNN_EDGE_BAD_POLICY = -6   /* of a stream: saved under another reset policy */
} rnn_edge_status;

/* Writes RNN_EDGE_BLOB_BYTES(state_values) bytes to blob and returns that number. */
size_t rnn_edge_model_save(const rnn_edge_model *model, const int16_t *state, uint8_t *blob);

/* Reads the state back. On any result but RNN_EDGE_OK the state is as it was. */
rnn_edge_status rnn_edge_model_restore(const rnn_edge_model *model, int16_t *state,
                                       const uint8_t *blob, size_t length);

#ifdef __cplusplus
}
#endif

#endif
