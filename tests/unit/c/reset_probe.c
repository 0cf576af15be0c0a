/* What a reset policy does before each of many steps, on states and frames that a caller chooses.
 */
#include <string.h>

#include "rnn_edge_reset.h"

void probe(uint32_t kind, uint32_t frames, int32_t level, uint32_t shift, uint32_t *counter,
           uint32_t values, uint32_t inputs, size_t steps, const int16_t *x, int16_t *states,
           uint8_t *was_reset);

/*
 * counter    read and replaced
 * x          [steps][inputs]
 * states     [steps][values], what each step finds; replaced by what the policy makes of it
 * was_reset  [steps], overwritten
 */
void probe(uint32_t kind, uint32_t frames, int32_t level, uint32_t shift, uint32_t *counter,
           uint32_t values, uint32_t inputs, size_t steps, const int16_t *x, int16_t *states,
           uint8_t *was_reset) {
    rnn_edge_reset_rule *const rules[] = {rnn_edge_reset_every, rnn_edge_reset_quiet_mean,
                                          rnn_edge_reset_quiet_magnitude, rnn_edge_reset_decay};
    const rnn_edge_reset_policy policy = {rules[kind - 1], kind, frames, level, shift};
    rnn_edge_layer layer;
    rnn_edge_model model;
    memset(&layer, 0, sizeof layer);
    memset(&model, 0, sizeof model);
    layer.x.columns = inputs;
    model.layers = &layer;
    model.state_values = values;
    rnn_edge_reset_counter own = {*counter};
    for (size_t t = 0; t < steps; ++t) {
        was_reset[t] = policy.prepare(&policy, &model, &own, states + t * values, x + t * inputs);
    }
    *counter = own.frames;
}
