/*
 * Matrices without most of their zeros. The inputs of the columns that a strip of four rows has are
 * brought together; to the target's own product the strip is then a matrix of so few columns.
 */
#include "rnn_edge_kernels.h"

#if defined(RNN_EDGE_MOST_KEPT) && !defined(RNN_EDGE_DSP)

enum { SIDE = 4 };

/* Brings the inputs of some columns together, a multiple of four and not none. */
#if defined(RNN_EDGE_MVE)

static inline void gather(const uint8_t *columns, uint32_t count, const int16_t *x, int16_t *to) {
    __asm__ volatile("dlstp.16 lr, %[count]\n"
                     "1:\n"
                     "vldrb.u16 q0, [%[columns]], #8\n"
                     "vldrh.u16 q1, [%[x], q0, uxtw #1]\n"
                     "vstrh.16 q1, [%[to]], #16\n"
                     "letp lr, 1b\n"
                     : [columns] "+l"(columns), [to] "+r"(to)
                     : [x] "r"(x), [count] "r"(count)
                     : "q0", "q1", "lr", "memory");
}

#else

static inline void gather(const uint8_t *columns, uint32_t count, const int16_t *x, int16_t *to) {
    const uint8_t *end = columns + count;
    do {
        const int16_t a = x[columns[0]];
        const int16_t b = x[columns[1]];
        const int16_t c = x[columns[2]];
        const int16_t d = x[columns[3]];
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
        columns += SIDE;
        to += SIDE;
    } while (columns != end);
}

#endif

void rnn_edge_kept_columns(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first,
                           uint32_t count, const int16_t *x, int16_t *out) {
    const rnn_edge_kept *kept = matrix->kept;
    const uint32_t strips = (matrix->rows + (SIDE - 1U)) / SIDE;
    const uint16_t *starts = kept->starts + gate * strips + first / SIDE;
    const uint32_t row = gate * matrix->rows + first;
    _Alignas(8) int16_t inputs[RNN_EDGE_MOST_KEPT];
    rnn_edge_matrix strip = *matrix;
    for (uint32_t done = 0; done < count; done += SIDE) {
        const uint32_t start = starts[0];
        const uint32_t blocks = starts[1] - start;
        const uint32_t left = count - done;
        gather(kept->columns + (size_t)SIDE * start, SIDE * blocks, x, inputs);
        strip.weights = (const uint8_t *)matrix->weights + (size_t)start * kept->block_bytes;
        strip.multipliers = matrix->multipliers + row + done;
        strip.narrow_bias = matrix->narrow_bias + row + done;
        strip.rows = left < SIDE ? left : SIDE;
        strip.columns = SIDE * blocks;
        kept->product(&strip, 0, 0, strip.rows, inputs, out + done);
        ++starts;
    }
}

#endif
