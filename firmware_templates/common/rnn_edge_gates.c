/*
 * Products of some units in several gates.
 */
#include "rnn_edge_dsp.h"
#include "rnn_edge_kernels.h"

#if !RNN_EDGE_HAS_GATES

void rnn_edge_gates(const rnn_edge_matrix *matrix, uint32_t first_gate, uint32_t gates,
                    uint32_t first, uint32_t count, const int16_t *x, int16_t *out) {
#if defined(RNN_EDGE_DSP)
    if (matrix->product == rnn_edge_blocks_narrow) {
        rnn_edge_blocks_gates(matrix, first_gate, gates, first, count, x, out);
        return;
    }
#endif
    for (uint32_t gate = 0; gate < gates; ++gate) {
        matrix->product(matrix, first_gate + gate, first, count, x, out);
        out += RNN_EDGE_UNITS_AT_ONCE;
    }
}

#endif
