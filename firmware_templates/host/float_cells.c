/*
 * The four cells in single precision. gx and gh are the products with the input and with the
 * state, biases included:
 *
 *   GRU                r, z = logistic(gx + gh)    n = tanh(gx_n + r * gh_n)
 *   GRU, reset before  r, z = logistic(gx + gh)    n = tanh(gx_n + U (r * h) + c)
 *                      h' = n + z * (h - n)
 *   LSTM               i, f, o = logistic(gx + gh) g = tanh(gx_g + gh_g)
 *                      c' = f * c + i * g          h' = o * tanh(c')
 *   RNN                h' = tanh(gx + gh)
 */
#include "float_activation.h"
#include "float_model.h"

void rnn_edge_float_affine(const rnn_edge_float_matrix *matrix, const float *restrict x,
                           float *restrict out) {
    const float *restrict weights = matrix->weights;
    for (uint32_t block = 0; block < matrix->blocks; ++block) {
        float sums[RNN_EDGE_FLOAT_BLOCK];
        for (size_t row = 0; row < RNN_EDGE_FLOAT_BLOCK; ++row) {
            sums[row] = matrix->bias[(size_t)block * RNN_EDGE_FLOAT_BLOCK + row];
        }
        for (uint32_t column = 0; column < matrix->columns; ++column) {
            const float value = x[column];
            for (size_t row = 0; row < RNN_EDGE_FLOAT_BLOCK; ++row) {
                sums[row] += weights[row] * value;
            }
            weights += RNN_EDGE_FLOAT_BLOCK;
        }
        memcpy(out + (size_t)block * RNN_EDGE_FLOAT_BLOCK, sums, sizeof sums);
    }
}

static void add_logistic(size_t count, const float *restrict a, float *restrict b) {
    for (size_t j = 0; j < count; ++j) {
        b[j] = rnn_edge_float_logistic(a[j] + b[j]);
    }
}

/* h' from z and n. */
static void blend(size_t units, const float *restrict z, const float *restrict n,
                  float *restrict h) {
    for (size_t j = 0; j < units; ++j) {
        h[j] = n[j] + z[j] * (h[j] - n[j]);
    }
}

static void gru(size_t units, const float *restrict gx, float *restrict gh, float *restrict h) {
    float *r = gh;
    float *n = gh + 2 * units;
    add_logistic(2 * units, gx, gh);
    for (size_t j = 0; j < units; ++j) {
        n[j] = rnn_edge_float_tanh(gx[2 * units + j] + r[j] * n[j]);
    }
    blend(units, gh + units, n, h);
}

static void gru_reset_before(const rnn_edge_float_layer *layer, const float *restrict gx,
                             float *restrict gh, float *restrict h) {
    const size_t units = layer->units;
    const size_t padded = (size_t)layer->h.blocks * RNN_EDGE_FLOAT_BLOCK;
    float *reset = gh + padded;
    float *n = reset + units;
    add_logistic(2 * units, gx, gh);
    for (size_t j = 0; j < units; ++j) {
        reset[j] = gh[j] * h[j];
    }
    rnn_edge_float_affine(&layer->candidate, reset, n);
    for (size_t j = 0; j < units; ++j) {
        n[j] = rnn_edge_float_tanh(gx[2 * units + j] + n[j]);
    }
    blend(units, gh + units, n, h);
}

static void lstm(size_t units, const float *restrict gx, float *restrict gh, float *restrict h,
                 float *restrict c) {
    float *i = gh;
    float *f = gh + units;
    float *g = gh + 2 * units;
    float *o = gh + 3 * units;
    add_logistic(2 * units, gx, gh);
    add_logistic(units, gx + 3 * units, o);
    for (size_t j = 0; j < units; ++j) {
        g[j] = rnn_edge_float_tanh(gx[2 * units + j] + g[j]);
    }
    for (size_t j = 0; j < units; ++j) {
        c[j] = f[j] * c[j] + i[j] * g[j];
        h[j] = o[j] * rnn_edge_float_tanh(c[j]);
    }
}

static void rnn(size_t units, const float *restrict gx, const float *restrict gh,
                float *restrict h) {
    for (size_t j = 0; j < units; ++j) {
        h[j] = rnn_edge_float_tanh(gx[j] + gh[j]);
    }
}

void rnn_edge_float_layer_step(const rnn_edge_float_layer *layer, const float *x, float *state,
                               float *scratch) {
    const size_t units = layer->units;
    float *gx = scratch;
    float *gh = scratch + (size_t)layer->x.blocks * RNN_EDGE_FLOAT_BLOCK;
    rnn_edge_float_affine(&layer->x, x, gx);
    rnn_edge_float_affine(&layer->h, state, gh);
    switch (layer->cell) {
    case RNN_EDGE_FLOAT_GRU:
        gru(units, gx, gh, state);
        break;
    case RNN_EDGE_FLOAT_GRU_RESET_BEFORE:
        gru_reset_before(layer, gx, gh, state);
        break;
    case RNN_EDGE_FLOAT_LSTM:
        lstm(units, gx, gh, state, state + units);
        break;
    default:
        rnn(units, gx, gh, state);
        break;
    }
}
