/*
 * Runs a model over a whole sequence, so that a caller in another language pays for one call and
 * not for one per step. For the host only.
 */
#include <string.h>

#include "rnn_edge_model.h"

/* The shared library has no header of its own. */
void rnn_edge_host_run(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                       const int16_t *x, size_t steps, int16_t *y, int16_t *states);
void rnn_edge_host_run_last(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                            const int16_t *x, size_t steps, int16_t *y);
/* The model that the code was made of, before any memory of the caller's is touched. */
const uint8_t *rnn_edge_host_digest(const rnn_edge_model *model);
/* The scratch that this code needs; another version of the exporter may lay it out otherwise. */
size_t rnn_edge_host_scratch_values(const rnn_edge_model *model);

const uint8_t *rnn_edge_host_digest(const rnn_edge_model *model) {
    return model->digest;
}

size_t rnn_edge_host_scratch_values(const rnn_edge_model *model) {
    return model->scratch_values;
}

/*
 * state    [state_values], read and replaced
 * scratch  [scratch_values], overwritten
 * x        [steps][inputs]
 * y        [steps][outputs], overwritten
 * states   [steps][state_values], overwritten with the state after each step
 */
void rnn_edge_host_run(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                       const int16_t *x, size_t steps, int16_t *y, int16_t *states) {
    const size_t inputs = model->layers[0].x.columns;
    const size_t outputs = model->head.rows;
    const size_t values = model->state_values;
    for (size_t t = 0; t < steps; ++t) {
        rnn_edge_model_step(model, state, scratch, x + t * inputs, y + t * outputs);
        memcpy(states + t * values, state, values * sizeof *state);
    }
}

/* As above, with the head after the last step only: y [outputs]. */
void rnn_edge_host_run_last(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                            const int16_t *x, size_t steps, int16_t *y) {
    for (size_t t = 0; t < steps; ++t) {
        rnn_edge_model_advance(model, state, scratch, x + t * model->layers[0].x.columns);
    }
    rnn_edge_model_output(model, state, y);
}
