/*
 * Steps a model from its description.
 */
#include "rnn_edge_model.h"

#include <string.h>

void rnn_edge_model_reset(const rnn_edge_model *model, int16_t *state) {
    (void)memset(state, 0, model->state_values * sizeof *state);
}

void rnn_edge_model_advance(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                            const int16_t *x) {
    const int16_t *signal = x;
    int16_t *layer_state = state;
    for (uint32_t k = 0; k < model->layer_count; ++k) {
        const rnn_edge_layer *layer = &model->layers[k];
        layer->step(layer, signal, layer_state, scratch);
        /* Every cell keeps its output h at the start of its state. */
        signal = layer_state;
        layer_state += layer->state_values;
    }
}

void rnn_edge_model_output(const rnn_edge_model *model, const int16_t *state, int16_t *y) {
    const rnn_edge_layer *last = &model->layers[model->layer_count - 1U];
    const int16_t *h = state + (model->state_values - last->state_values);
    const rnn_edge_matrix *head = &model->head;
    for (uint32_t first = 0; first < head->rows; first += RNN_EDGE_UNITS_AT_ONCE) {
        const uint32_t count = rnn_edge_units_from(first, head->rows);
        head->product(head, 0, first, count, h, y + first);
    }
    if (model->finish != NULL) {
        model->finish(y, model->head.rows, model->head_exponent);
    }
}

void rnn_edge_model_step(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                         const int16_t *x, int16_t *y) {
    rnn_edge_model_advance(model, state, scratch, x);
    rnn_edge_model_output(model, state, y);
}
