/* Calls the products of blocks and the gates over arrays, for one form to be compared with another.
 */
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_kernels.h"

enum { AT_ONCE = RNN_EDGE_UNITS_AT_ONCE, GATES_MOST = 4 };

void probe_rows(const rnn_edge_matrix *form, uint32_t gates, const int16_t *x, int16_t *out);
void probe_blocks(const rnn_edge_matrix *form, uint32_t gates, const int16_t *x, int16_t *out);
void probe_gru(uint32_t count, const int16_t *gx, const int16_t *gh, const int16_t *h,
               int16_t *next);
void probe_lstm(uint32_t count, int cell_exponent, const int16_t *gx, const int16_t *gh, int16_t *c,
                int16_t *next);

/* Memory of exactly the size: what is written or read beyond shows under a sanitizer. */
static void run(rnn_edge_product *product, const rnn_edge_matrix *form, uint32_t gates,
                const int16_t *x, int16_t *out) {
    for (uint32_t gate = 0; gate < gates; ++gate) {
        for (uint32_t first = 0; first < form->rows; first += AT_ONCE) {
            const uint32_t count = rnn_edge_units_from(first, form->rows);
            int16_t *part = malloc(count * sizeof *part);
            product(form, gate, first, count, x, part);
            memcpy(out + gate * form->rows + first, part, count * sizeof *part);
            free(part);
        }
    }
}

void probe_rows(const rnn_edge_matrix *form, uint32_t gates, const int16_t *x, int16_t *out) {
    run(rnn_edge_rows_narrow, form, gates, x, out);
}

void probe_blocks(const rnn_edge_matrix *form, uint32_t gates, const int16_t *x, int16_t *out) {
#if RNN_EDGE_HAS_BLOCKS
    run(rnn_edge_blocks_narrow, form, gates, x, out);
#else
    run(rnn_edge_rows_narrow, form, gates, x, out);
#endif
}

/* From [gates][count] to [gates][AT_ONCE] of the units from `first` on. */
static void take(const int16_t *from, uint32_t count, uint32_t first, uint32_t gates, int16_t *to) {
    const uint32_t some = rnn_edge_units_from(first, count);
    for (uint32_t gate = 0; gate < gates; ++gate) {
        memcpy(to + (size_t)AT_ONCE * gate, from + (size_t)count * gate + first, some * sizeof *to);
    }
}

void probe_gru(uint32_t count, const int16_t *gx, const int16_t *gh, const int16_t *h,
               int16_t *next) {
    for (uint32_t first = 0; first < count; first += AT_ONCE) {
        int16_t x[GATES_MOST * AT_ONCE];
        int16_t s[GATES_MOST * AT_ONCE];
        take(gx, count, first, 3, x);
        take(gh, count, first, 3, s);
        rnn_edge_gru_units(rnn_edge_units_from(first, count), x, s, h + first, next + first);
    }
}

void probe_lstm(uint32_t count, int cell_exponent, const int16_t *gx, const int16_t *gh, int16_t *c,
                int16_t *next) {
    for (uint32_t first = 0; first < count; first += AT_ONCE) {
        int16_t x[GATES_MOST * AT_ONCE];
        int16_t s[GATES_MOST * AT_ONCE];
        take(gx, count, first, 4, x);
        take(gh, count, first, 4, s);
        rnn_edge_lstm_units(rnn_edge_units_from(first, count), cell_exponent, x, s, c + first,
                            next + first);
    }
}
