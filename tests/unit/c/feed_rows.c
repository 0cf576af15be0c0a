/* Reads rows of int32, feeds them in pieces of the given size and writes frames, flags and masks.
 * A second number is the rows between two gaps, 0 for none; with a third one what outlives a gap is
 * taken over by another front end there. */
#include <stdio.h>
#include <stdlib.h>

#include "sample_frontend.h"

static sample_frontend fronts[2];

static void tell(const sample_frontend *front, const int16_t *x) {
    uint8_t left_out[SAMPLE_FRONTEND_MASK_BYTES];
    uint8_t faulty[SAMPLE_FRONTEND_MASK_BYTES];
    sample_frontend_masks(front, left_out, faulty);
    fwrite(x, sizeof *x, SAMPLE_FRONTEND_FEATURES, stdout);
    fwrite(sample_frontend_flags(front), 1, SAMPLE_FRONTEND_CHANNELS, stdout);
    fwrite(left_out, 1, sizeof left_out, stdout);
    fwrite(faulty, 1, sizeof faulty, stdout);
}

int main(int count, char **arguments) {
    const size_t piece = count > 1 ? strtoul(arguments[1], NULL, 10) : 1;
    const size_t gap = count > 2 ? strtoul(arguments[2], NULL, 10) : 0;
    const size_t row_bytes = SAMPLE_FRONTEND_CHANNELS * sizeof(int32_t);
    int32_t *const rows = malloc(piece * row_bytes + 1);
    if (rows == NULL) {
        return 1;
    }
    sample_frontend *front = &fronts[0];
    sample_frontend_init(front);
    size_t fed = 0;
    for (;;) {
        const size_t until = gap == 0 ? piece : gap - fed % gap;
        const size_t wanted = piece < until ? piece : until;
        const size_t read = fread(rows, row_bytes, wanted, stdin);
        if (read == 0) {
            break;
        }
        int16_t x[SAMPLE_FRONTEND_FEATURES];
        for (size_t at = 0, taken = 0; at < read; at += taken) {
            if (sample_frontend_feed(front, rows + at * SAMPLE_FRONTEND_CHANNELS, read - at, x,
                                     &taken)) {
                tell(front, x);
            }
        }
        fed += read;
        if (gap != 0 && fed % gap == 0) {
            if (count > 3) {
                uint8_t saved[SAMPLE_FRONTEND_SAVED_BYTES];
                sample_frontend_save(front, saved);
                front = front == &fronts[0] ? &fronts[1] : &fronts[0];
                if (!sample_frontend_restore(front, saved)) {
                    return 2;
                }
                saved[8] = 0x80;
                if (sample_frontend_restore(front, saved)) {
                    return 3;
                }
            } else {
                sample_frontend_gap(front);
            }
        }
    }
    free(rows);
    return 0;
}
