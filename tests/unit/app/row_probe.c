/*
 * Rows of sensors through the main loop, with a gap where the ring was full: standard input has
 * int32 rows, of which the ring's worth and one more come at once every 50 rows. Standard output:
 * each step as its frame, its outputs, whether it began at a state of zero, label and score.
 */
#include <stdio.h>

#include "rnn_edge_app.h"
#include "rnn_edge_step_log.h"
#include "silent_board.h"

enum { RING = RNN_EDGE_APP_RING_SAMPLES, VALUES = RNN_EDGE_APP_SAMPLE_VALUES, MOST = 4000 };

static int32_t rows[MOST * VALUES];

static void settle(void) {
    static uint32_t step;
    uint8_t page[8 + RNN_EDGE_LOG_RECORD_BYTES];
    while (rnn_edge_app_turn()) {
        if (rnn_edge_app_counted().frames != step) {
            require(rnn_edge_log_put(page, sizeof page, step) == page + sizeof page, "no record");
            fwrite(page + 8, RNN_EDGE_LOG_RECORD_BYTES, 1, stdout);
            ++step;
        }
    }
}

int main(void) {
    const size_t count = fread(rows, sizeof rows[0] * VALUES, MOST, stdin);
    uint32_t gaps = 0;
    rnn_edge_app_begin();
    for (size_t at = 0; at < count; ++at) {
        const int32_t *const row = rows + at * VALUES;
        if (at % 50 == 40 && at + RING + 1 <= count) {
            require(rnn_edge_app_push_samples(row, RING + 1) == RING, "the ring's size");
            at += RING;
            ++gaps;
        } else {
            require(rnn_edge_app_push_samples(row, 1) == 1, "a row has no room");
        }
        settle();
    }
    require(rnn_edge_app_counted().gaps == gaps, "gaps are counted");
    require(rnn_edge_app_counted().lost_samples == gaps, "lost rows are counted");
    return 0;
}
