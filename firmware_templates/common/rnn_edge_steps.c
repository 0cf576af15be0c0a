/*
 * Steps over several frames that are there at once. Where a processor has registers for it, the
 * products of the first layer with two of them at a time come first: each weight is loaded once for
 * both. Other kernels keep their registers full with the rows of one frame.
 */
#include "rnn_edge_model.h"

#if defined(RNN_EDGE_COLUMNS) && defined(__riscv)

#include "rnn_edge_fixedpoint.h"

enum { PAIR = 2 };

/* A product that is known already: x is [gates][rows] of it. */
static void known(const rnn_edge_matrix *matrix, uint32_t gate, uint32_t first, uint32_t count,
                  const int16_t *x, int16_t *out) {
    const int16_t *from = x + (size_t)gate * matrix->rows + first;
    for (uint32_t k = 0; k < count; ++k) {
        out[k] = from[k];
    }
}

static int16_t result(const rnn_edge_matrix *matrix, uint32_t row, int32_t sum) {
    return rnn_edge_narrow_result(sum + matrix->narrow_bias[row], matrix->multipliers[row],
                                  matrix->narrow_shift);
}

enum { ROWS = 4, TURN = 4 };

/* Adds column k of four rows for two frames: each weight and each input is loaded once for several
 * products. Nothing is loaded across the empty assembly: there are no registers for more. */
#define ADD_COLUMN(k)                                                                              \
    do {                                                                                           \
        const int32_t one = x[k];                                                                  \
        const int32_t two = then[k];                                                               \
        a += weights[ROWS * (k)] * one;                                                            \
        e += weights[ROWS * (k)] * two;                                                            \
        b += weights[ROWS * (k) + 1] * one;                                                        \
        f += weights[ROWS * (k) + 1] * two;                                                        \
        c += weights[ROWS * (k) + 2] * one;                                                        \
        g += weights[ROWS * (k) + 2] * two;                                                        \
        d += weights[ROWS * (k) + 3] * one;                                                        \
        h += weights[ROWS * (k) + 3] * two;                                                        \
        __asm__ volatile("" ::: "memory");                                                         \
    } while (0)

/* The sums of four rows, of the first frame and then of the second one. */
static void add_columns(const int8_t *weights, uint32_t columns, const int16_t *x, int32_t *sums) {
    const int16_t *then = x + columns;
    const int16_t *fours = x + (columns & ~(TURN - 1U));
    const int16_t *end = then;
    int32_t a = 0;
    int32_t b = 0;
    int32_t c = 0;
    int32_t d = 0;
    int32_t e = 0;
    int32_t f = 0;
    int32_t g = 0;
    int32_t h = 0;
    while (x != fours) {
        ADD_COLUMN(0);
        ADD_COLUMN(1);
        ADD_COLUMN(2);
        ADD_COLUMN(3);
        x += TURN;
        then += TURN;
        weights += TURN * ROWS;
    }
    while (x != end) {
        ADD_COLUMN(0);
        ++x;
        ++then;
        weights += ROWS;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
    sums[4] = e;
    sums[5] = f;
    sums[6] = g;
    sums[7] = h;
}

/* products: [frames][gates][rows] */
static void multiply(const rnn_edge_matrix *matrix, uint32_t gates, const int16_t *x,
                     uint32_t frames, int16_t *products) {
    const uint32_t columns = matrix->columns;
    const uint32_t fours = (columns + (ROWS - 1U)) & ~(ROWS - 1U);
    const size_t frame = (size_t)gates * matrix->rows;
    for (uint32_t done = 0; done < frames; done += PAIR) {
        const int8_t *weights = matrix->weights;
        for (uint32_t row = 0; row < frame;) {
            const uint32_t left = matrix->rows - row % matrix->rows;
            const uint32_t count = left < ROWS ? left : ROWS;
            int32_t sums[PAIR * ROWS];
            add_columns(weights, columns, x, sums);
            for (uint32_t k = 0; k < count; ++k) {
                products[row + k] = result(matrix, row + k, sums[k]);
                products[frame + row + k] = result(matrix, row + k, sums[ROWS + k]);
            }
            weights += (size_t)ROWS * fours;
            row += count;
        }
        x += (size_t)PAIR * columns;
        products += PAIR * frame;
    }
}

static void step_known(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                       const int16_t *products) {
    rnn_edge_layer layer = model->layers[0];
    layer.x.product = known;
    layer.step(&layer, products, state, scratch);
    const int16_t *signal = state;
    int16_t *layer_state = state + layer.state_values;
    for (uint32_t k = 1; k < model->layer_count; ++k) {
        const rnn_edge_layer *next = &model->layers[k];
        next->step(next, signal, layer_state, scratch);
        signal = layer_state;
        layer_state += next->state_values;
    }
}

/* Steps frames in pairs; returns how many of them. */
static uint32_t step_pairs(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                           uint32_t gates, uint32_t at_once, const int16_t *x, uint32_t frames,
                           int16_t *y) {
    const rnn_edge_matrix *first = &model->layers[0].x;
    if (first->product != rnn_edge_blocks_narrow) {
        return 0;
    }
    const size_t frame = (size_t)gates * first->rows;
    int16_t *products = scratch + model->scratch_values - at_once * frame;
    const uint32_t even = frames & ~(PAIR - 1U);
    for (uint32_t done = 0; done < even;) {
        const uint32_t left = even - done;
        const uint32_t count = left < at_once ? left : at_once;
        multiply(first, gates, x, count, products);
        for (uint32_t k = 0; k < count; ++k) {
            step_known(model, state, scratch, products + k * frame);
            rnn_edge_model_output(model, state, y);
            y += model->head.rows;
        }
        x += (size_t)count * first->columns;
        done += count;
    }
    return even;
}

#else

static uint32_t step_pairs(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                           uint32_t gates, uint32_t at_once, const int16_t *x, uint32_t frames,
                           int16_t *y) {
    (void)model;
    (void)state;
    (void)scratch;
    (void)gates;
    (void)at_once;
    (void)x;
    (void)frames;
    (void)y;
    return 0;
}

#endif

void rnn_edge_model_steps(const rnn_edge_model *model, int16_t *state, int16_t *scratch,
                          uint32_t gates, uint32_t at_once, const int16_t *x, uint32_t frames,
                          int16_t *y) {
    uint32_t done = step_pairs(model, state, scratch, gates, at_once, x, frames, y);
    for (; done < frames; ++done) {
        rnn_edge_model_step(model, state, scratch, x + (size_t)done * model->layers[0].x.columns,
                            y + (size_t)done * model->head.rows);
    }
}
