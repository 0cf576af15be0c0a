/*
 * Runs the float model with buffers of exactly the sizes that it asks for, under the sanitizers:
 * every cell above every other one, both kinds of heads, and frames that are not finite. Prints a
 * digest of all results, in which one value that is not a number is as good as another.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "float_model.h"

enum { LAYERS = 4, INPUTS = 3, OUTPUTS = 2, STEPS = 200, GATES_MOST = 4 };

static float noise(void) {
    static uint32_t seed = 1;
    seed = seed * 1664525U + 1013904223U;
    return (float)(seed >> 8) / 8388608.0F - 1.0F;
}

static float *values(size_t count) {
    float *block = malloc(count * sizeof *block);
    if (block == NULL) {
        exit(1);
    }
    for (size_t k = 0; k < count; ++k) {
        block[k] = noise();
    }
    return block;
}

static rnn_edge_float_matrix matrix(uint32_t rows, uint32_t columns) {
    const uint32_t block = rnn_edge_float_block();
    rnn_edge_float_matrix made;
    made.blocks = (rows + block - 1) / block;
    made.columns = columns;
    made.weights = values((size_t)made.blocks * block * columns);
    made.bias = values((size_t)made.blocks * block);
    return made;
}

static void drop(rnn_edge_float_matrix made) {
    free((void *)(uintptr_t)made.weights);
    free((void *)(uintptr_t)made.bias);
}

static uint64_t digest = 14695981039346656037U;

static void note(const float *results, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        uint32_t bits = UINT32_MAX;
        if (!isnan(results[k])) {
            memcpy(&bits, &results[k], sizeof bits);
        }
        digest = (digest ^ bits) * 1099511628211U;
    }
}

static void run(const uint32_t first) {
    static const uint32_t gates[] = {3, 3, GATES_MOST, 1};
    static const uint32_t units[LAYERS] = {1, 33, 11, 32};
    rnn_edge_float_layer layers[LAYERS];
    uint32_t columns = INPUTS;
    for (uint32_t k = 0; k < LAYERS; ++k) {
        const uint32_t cell = (first + k) % LAYERS;
        const uint32_t apart = cell == RNN_EDGE_FLOAT_GRU_RESET_BEFORE ? units[k] : 0;
        layers[k].cell = cell;
        layers[k].units = units[k];
        layers[k].x = matrix(gates[cell] * units[k], columns);
        layers[k].h = matrix(gates[cell] * units[k] - apart, units[k]);
        layers[k].candidate = matrix(apart, units[k]);
        columns = units[k];
    }
    rnn_edge_float_model model = {LAYERS, OUTPUTS, first % 2, layers, matrix(OUTPUTS, columns)};
    const size_t held = rnn_edge_float_state_values(&model);
    float *state = values(held);
    float *scratch = values(rnn_edge_float_scratch_values(&model));
    float *x = values((size_t)STEPS * INPUTS);
    float *y = values((size_t)STEPS * OUTPUTS);
    float *states = values(STEPS * held);
    x[90] = 3.0e38F;
    x[120] = INFINITY;
    x[150] = -INFINITY;
    x[STEPS] = NAN;
    rnn_edge_float_run(&model, state, scratch, x, STEPS, y, states);
    note(y, (size_t)STEPS * OUTPUTS);
    note(states, STEPS * held);
    rnn_edge_float_run_last(&model, state, scratch, x, STEPS, y);
    note(y, OUTPUTS);
    rnn_edge_float_run(&model, state, scratch, x, 0, y, states);
    for (uint32_t k = 0; k < LAYERS; ++k) {
        drop(layers[k].x);
        drop(layers[k].h);
        drop(layers[k].candidate);
    }
    drop(model.head);
    free(state);
    free(scratch);
    free(x);
    free(y);
    free(states);
}

int main(void) {
    for (uint32_t first = 0; first < LAYERS; ++first) {
        run(first);
    }
    return printf("%d models of %d steps: %016" PRIx64 "\n", LAYERS, STEPS, digest) < 0;
}
