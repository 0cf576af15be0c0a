/*
 * A stack of layers and its head over a whole sequence, so that a caller in another language pays
 * for one call and not for one per step.
 */
#include "float_model.h"

#include <string.h>

#include "float_activation.h"

uint32_t rnn_edge_float_block(void) {
    return RNN_EDGE_FLOAT_BLOCK;
}

size_t rnn_edge_float_layer_values(const rnn_edge_float_layer *layer) {
    return layer->cell == RNN_EDGE_FLOAT_LSTM ? 2 * (size_t)layer->units : layer->units;
}

size_t rnn_edge_float_state_values(const rnn_edge_float_model *model) {
    size_t values = 0;
    for (uint32_t k = 0; k < model->layer_count; ++k) {
        values += rnn_edge_float_layer_values(&model->layers[k]);
    }
    return values;
}

size_t rnn_edge_float_scratch_values(const rnn_edge_float_model *model) {
    size_t most = (size_t)model->head.blocks * RNN_EDGE_FLOAT_BLOCK;
    for (uint32_t k = 0; k < model->layer_count; ++k) {
        const rnn_edge_float_layer *layer = &model->layers[k];
        size_t blocks = (size_t)layer->x.blocks + layer->h.blocks;
        size_t values = 0;
        if (layer->cell == RNN_EDGE_FLOAT_GRU_RESET_BEFORE) {
            blocks += layer->candidate.blocks;
            values = layer->units;
        }
        values += blocks * RNN_EDGE_FLOAT_BLOCK;
        most = values > most ? values : most;
    }
    return most;
}

/* Returns the output of the last layer, which is part of the state. */
static const float *advance(const rnn_edge_float_model *model, float *state, float *scratch,
                            const float *x) {
    for (uint32_t k = 0; k < model->layer_count; ++k) {
        rnn_edge_float_layer_step(&model->layers[k], x, state, scratch);
        x = state;
        state += rnn_edge_float_layer_values(&model->layers[k]);
    }
    return x;
}

/* Probabilities, with the greatest subtracted so that no power overflows. */
static void softmax(size_t count, float *y) {
    float greatest = y[0];
    for (size_t j = 1; j < count; ++j) {
        greatest = y[j] > greatest ? y[j] : greatest;
    }
    float sum = 0.0F;
    for (size_t j = 0; j < count; ++j) {
        y[j] = rnn_edge_float_exp(y[j] - greatest);
        sum += y[j];
    }
    for (size_t j = 0; j < count; ++j) {
        y[j] /= sum;
    }
}

static void output(const rnn_edge_float_model *model, const float *h, float *scratch, float *y) {
    rnn_edge_float_affine(&model->head, h, scratch);
    memcpy(y, scratch, model->outputs * sizeof *y);
    if (model->has_softmax != 0U) {
        softmax(model->outputs, y);
    }
}

void rnn_edge_float_run(const rnn_edge_float_model *model, float *state, float *scratch,
                        const float *x, size_t steps, float *y, float *states) {
    const size_t inputs = model->layers[0].x.columns;
    const size_t values = rnn_edge_float_state_values(model);
    for (size_t t = 0; t < steps; ++t) {
        const float *h = advance(model, state, scratch, x + t * inputs);
        output(model, h, scratch, y + t * model->outputs);
        memcpy(states + t * values, state, values * sizeof *state);
    }
}

void rnn_edge_float_run_last(const rnn_edge_float_model *model, float *state, float *scratch,
                             const float *x, size_t steps, float *y) {
    const float *h = state;
    for (size_t t = 0; t < steps; ++t) {
        h = advance(model, state, scratch, x + t * model->layers[0].x.columns);
    }
    if (steps != 0) {
        output(model, h, scratch, y);
    }
}
