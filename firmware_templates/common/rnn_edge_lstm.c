/*
 * The long short-term memory cell without peepholes:
 *
 *   i, f, o = logistic(gx + gh)    g = tanh(gx_g + gh_g)
 *   c' = f * c + i * g             h' = o * tanh(c')
 *
 * Scales: gates 2^-11, arguments of tanh 2^-13, i, f, g, o and h 2^-15, c 2^cell_exponent.
 */
#include <string.h>

#include "rnn_edge_activation.h"
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_kernels.h"

enum { GATE_EXPONENT = -11, TANH_EXPONENT = -13, UNIT_EXPONENT = -15 };

static int16_t lstm_unit(int16_t *c, int cell_exponent, const int16_t gx[4], const int16_t gh[4]) {
    const int16_t i = rnn_edge_logistic(rnn_edge_add(gx[0], gh[0]));
    const int16_t f = rnn_edge_logistic(rnn_edge_add(gx[1], gh[1]));
    const int16_t candidate = rnn_edge_add(gx[2], gh[2]);
    const int16_t o = rnn_edge_logistic(rnn_edge_add(gx[3], gh[3]));
    const int16_t g = rnn_edge_tanh(rnn_edge_requantize(candidate, GATE_EXPONENT, TANH_EXPONENT));

    const int16_t kept = rnn_edge_multiply(f, *c, 15);
    const int16_t added = rnn_edge_multiply(i, g, (unsigned)(cell_exponent - 2 * UNIT_EXPONENT));
    *c = rnn_edge_add(kept, added);

    const int16_t squashed = rnn_edge_tanh(rnn_edge_requantize(*c, cell_exponent, TANH_EXPONENT));
    return rnn_edge_multiply(o, squashed, 15);
}

void rnn_edge_lstm_step(const rnn_edge_layer *layer, const int16_t *x, int16_t *state,
                        int16_t *scratch) {
    const uint32_t units = layer->units;
    int16_t *c = state + units;
    for (uint32_t j = 0; j < units; ++j) {
        int16_t gx[4];
        int16_t gh[4];
        rnn_edge_matrix_rows(&layer->x, j, units, 4, x, gx);
        rnn_edge_matrix_rows(&layer->h, j, units, 4, state, gh);
        /* The units after this one still need the old h; nobody else needs the old c. */
        scratch[j] = lstm_unit(&c[j], layer->cell_exponent, gx, gh);
    }
    memcpy(state, scratch, units * sizeof *state);
}
