/*
 * Decides on frames and outputs of standard input: x i16[], y i16[], command u8, left out u8[MASK],
 * faulty u8[MASK] for each frame. Writes label u8, score u32, ended u8, its score u32, begun u8,
 * active u8, faults that began u8[MASK], that ended u8[MASK], whether there are any u8.
 *
 * With an argument, every byte of what is remembered at the end is tried with every value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_bytes.h"
#include "rnn_edge_decision.h"

enum {
    MASK = RNN_EDGE_DECISION_MASK_BYTES,
    SETTLE = 1,  /* before the frame */
    NOTHING = 2, /* is known of the sensors */
    RESTORE = 4, /* what is remembered after the frame is saved, forgotten and restored */
    BYTES = RNN_EDGE_DECISION_BYTES
};

static int16_t x[RNN_EDGE_CONFIG_INPUTS];
static int16_t y[RNN_EDGE_CONFIG_OUTPUTS];
static uint8_t command;
static uint8_t left_out[MASK];
static uint8_t faulty[MASK];
static uint8_t kept[BYTES];
static uint8_t again[BYTES];

static void require(bool is_so, const char *what) {
    if (!is_so) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static bool is_read(void *to, size_t count) {
    return fread(to, count, 1, stdin) == 1;
}

static void restore(void) {
    rnn_edge_decision_save(kept);
    rnn_edge_decision_begin();
    require(rnn_edge_decision_restore(kept), "what was saved is refused");
    rnn_edge_decision_save(again);
    require(memcmp(again, kept, BYTES) == 0, "what was restored is not what was saved");
    memset(again, 0xFF, BYTES);
    require(!rnn_edge_decision_restore(again), "numbers out of their ranges are taken");
}

/* What is taken is there, what is refused has changed nothing. */
static void try_all_bytes(void) {
    unsigned long refused = 0;
    rnn_edge_decision_save(kept);
    for (size_t at = 0; at < BYTES; ++at) {
        const uint8_t was = kept[at];
        for (unsigned value = 0; value < 256; ++value) {
            rnn_edge_decision_begin();
            require(rnn_edge_decision_restore(kept), "what was saved is refused");
            kept[at] = (uint8_t)value;
            const bool is_taken = rnn_edge_decision_restore(kept);
            refused += is_taken ? 0 : 1;
            kept[at] = is_taken ? (uint8_t)value : was;
            rnn_edge_decision_save(again);
            require(memcmp(again, kept, BYTES) == 0, "a record is taken by halves");
            kept[at] = was;
        }
    }
    fprintf(stderr, "%lu of %lu refused\n", refused, 256UL * BYTES);
}

int main(int argc, char **argv) {
    (void)argv;
    rnn_edge_decision_begin();
    while (is_read(x, sizeof x) && is_read(y, sizeof y) && is_read(&command, 1) &&
           is_read(left_out, MASK) && is_read(faulty, MASK)) {
        if ((command & SETTLE) != 0) {
            rnn_edge_decision_settle();
        }
        const rnn_edge_decision_sensors sensors = {left_out, faulty};
        rnn_edge_decision_change change;
        const rnn_edge_decision found =
            rnn_edge_decision_update(x, y, (command & NOTHING) != 0 ? NULL : &sensors, &change);
        uint8_t row[13 + 2 * MASK];
        row[0] = found.label;
        rnn_edge_put32(row + 1, found.score);
        row[5] = change.ended;
        rnn_edge_put32(row + 6, change.ended_score);
        row[10] = change.begun;
        row[11] = rnn_edge_decision_active();
        memcpy(row + 12, change.faults_begun, MASK);
        memcpy(row + 12 + MASK, change.faults_ended, MASK);
        row[12 + 2 * MASK] = rnn_edge_decision_is_faulty();
        fwrite(row, sizeof row, 1, stdout);
        if ((command & RESTORE) != 0) {
            restore();
        }
    }
    if (argc > 1) {
        try_all_bytes();
    }
    return 0;
}
