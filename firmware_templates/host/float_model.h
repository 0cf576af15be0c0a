/*
 * A model in single precision on a host, for streams that are too long for an interpreter: the
 * equations of the cells in plain C, with the state held by the caller.
 *
 * Every row of a matrix is summed from its first column to its last, beginning with its bias, and
 * the rows lie side by side in memory: a vector holds several rows, never several terms of one
 * sum. So the bits do not depend on the width of vectors, nor on the compiler, as long as it fuses
 * no product with a sum (-ffp-contract=off) and reorders nothing.
 */
#ifndef RNN_EDGE_FLOAT_MODEL_H
#define RNN_EDGE_FLOAT_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* Rows of a matrix that are summed together. */
enum { RNN_EDGE_FLOAT_BLOCK = 32 };

/*
 * weights  [blocks][columns][RNN_EDGE_FLOAT_BLOCK], rows beyond the last are zero
 * bias     [blocks][RNN_EDGE_FLOAT_BLOCK], likewise
 */
typedef struct {
    uint32_t blocks;
    uint32_t columns;
    const float *weights;
    const float *bias;
} rnn_edge_float_matrix;

/* In the order of CELLS in c_float.py. */
enum {
    RNN_EDGE_FLOAT_GRU,
    RNN_EDGE_FLOAT_GRU_RESET_BEFORE,
    RNN_EDGE_FLOAT_LSTM,
    RNN_EDGE_FLOAT_RNN
};

/*
 * Rows are blocked by gate: r, z, n (GRU), i, f, g, o (LSTM). The recurrent matrix of
 * RNN_EDGE_FLOAT_GRU_RESET_BEFORE has the rows of r and z; those of n stand in `candidate`, which
 * other cells do not look at.
 */
typedef struct {
    uint32_t cell;
    uint32_t units;
    rnn_edge_float_matrix x;
    rnn_edge_float_matrix h;
    rnn_edge_float_matrix candidate;
} rnn_edge_float_layer;

typedef struct {
    uint32_t layer_count;
    uint32_t outputs;
    uint32_t has_softmax;
    const rnn_edge_float_layer *layers;
    rnn_edge_float_matrix head;
} rnn_edge_float_model;

/* What the caller has to provide: floats of the state, and floats that are overwritten. */
size_t rnn_edge_float_state_values(const rnn_edge_float_model *model);
size_t rnn_edge_float_scratch_values(const rnn_edge_float_model *model);

/* Rows that are summed together, for whom lays out the weights. */
uint32_t rnn_edge_float_block(void);

/*
 * One step of a layer.
 *
 * x        [columns of layer->x]
 * state    [units], h; for an LSTM [2 * units], h and c; read and replaced
 * scratch  overwritten
 */
void rnn_edge_float_layer_step(const rnn_edge_float_layer *layer, const float *x, float *state,
                               float *scratch);

/* out [blocks * RNN_EDGE_FLOAT_BLOCK] = bias + weights * x; x must not overlap out. */
void rnn_edge_float_affine(const rnn_edge_float_matrix *matrix, const float *x, float *out);

/* State values of a layer, h first. */
size_t rnn_edge_float_layer_values(const rnn_edge_float_layer *layer);

/*
 * state    [state_values], from the first layer to the last; read and replaced
 * scratch  [scratch_values], overwritten
 * x        [steps][inputs]
 * y        [steps][outputs], overwritten
 * states   [steps][state_values], overwritten with the state after each step
 */
void rnn_edge_float_run(const rnn_edge_float_model *model, float *state, float *scratch,
                        const float *x, size_t steps, float *y, float *states);

/* As above, with the head after the last step only: y [outputs]. */
void rnn_edge_float_run_last(const rnn_edge_float_model *model, float *state, float *scratch,
                             const float *x, size_t steps, float *y);

#endif
