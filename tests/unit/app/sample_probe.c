/*
 * Samples through the main loop on a board that exists in this file only: pieces of any size, one
 * frame a turn, what a ring that is full does, and modes.
 *
 * Standard input: int16 samples. Standard output: what the log holds of each step, as bytes.
 */
#include <stdio.h>
#include <string.h>

#include "rnn_edge_app.h"
#include "rnn_edge_sample_ring.h"
#include "rnn_edge_served.h"
#include "silent_board.h"

enum { RING = RNN_EDGE_APP_RING_SAMPLES, MOST = 1 << 20 };

static int16_t pcm[MOST];

/* A turn steps one frame at most. */
static bool turn(void) {
    const uint32_t before = rnn_edge_app_counted().frames;
    const bool had_work = rnn_edge_app_turn();
    const uint32_t now = rnn_edge_app_counted().frames;
    require(now - before <= 1, "more than a frame a turn");
    if (now != before) {
        fwrite(rnn_edge_served_frame(), RNN_EDGE_SERVED_FRAME_BYTES, 1, stdout);
    }
    return had_work;
}

static void settle(void) {
    while (turn()) {
    }
}

/* As an interrupt does it: never more than the ring has room for. */
static void push_pieces(const int16_t *samples, size_t count) {
    static const size_t sizes[] = {1, 0, 7, RING, 80, 3, RING - 1, 41};
    for (size_t at = 0, k = 0; at < count; ++k) {
        const size_t wanted = sizes[k % (sizeof sizes / sizeof sizes[0])];
        const size_t piece = wanted < count - at ? wanted : count - at;
        require(rnn_edge_app_push_samples(samples + at, piece) == piece, "samples have no room");
        at += piece;
        settle();
    }
}

int main(int count, char **arguments) {
    const size_t samples = fread(pcm, sizeof pcm[0], MOST, stdin);
    rnn_edge_app_begin();
    require(!rnn_edge_app_turn(), "a turn without work says that there was some");
    push_pieces(pcm, samples);
    require(rnn_edge_app_counted().samples == samples, "samples that were heard are counted");
    require(rnn_edge_app_counted().most_samples == RING, "most that waited");
    require(rnn_edge_app_counted().lost_samples == 0, "samples are lost");
    if (count < 2 || strcmp(arguments[1], "gap") != 0) {
        return 0;
    }

    /* What does not fit is dropped and counted, and nothing is taken before the gap is told. */
    require(rnn_edge_app_push_samples(pcm, RING + 5) == RING, "the ring's size");
    require(rnn_edge_app_push_samples(pcm, 1) == 0, "taken though the ring is full");
    require(turn(), "samples wait");
    require(rnn_edge_sample_ring_filled() < RING, "nothing was heard");
    require(rnn_edge_app_push_samples(pcm, 4) == 0, "taken though there is a gap before it");
    require(rnn_edge_app_counted().lost_samples == 10, "lost samples are counted");
    settle();
    require(rnn_edge_app_counted().gaps == 1, "a gap is counted once");
    /* Behind it everything is as at the start, but for what the front end remembers. */
    push_pieces(pcm, samples);
    require(rnn_edge_app_counted().gaps == 1, "no further gap");

    /* A host has the model: what the sensor says meanwhile is dropped, what waited too. */
    require(rnn_edge_app_push_samples(pcm, 50) == 50, "samples have room");
    rnn_edge_app_set_mode(RNN_EDGE_MODE_HOST);
    require(rnn_edge_app_counted().lost_samples == 60, "what waited is lost");
    require(rnn_edge_app_push_samples(pcm, 9) == 0, "samples beside the host's");
    require(rnn_edge_app_feed_samples(pcm, 9) == 0, "fed in another mode");
    rnn_edge_app_set_mode(RNN_EDGE_MODE_FED);
    require(rnn_edge_app_push_samples(pcm, 9) == 0, "samples beside the fed ones");
    require(rnn_edge_app_feed_samples(pcm, RING + 1) == RING, "fed ones have no room");
    settle();
    require(rnn_edge_app_feed_samples(pcm, 1) == 1, "what is not taken of a feed is no gap");
    rnn_edge_app_set_mode(RNN_EDGE_MODE_SENSOR);
    require(rnn_edge_app_counted().lost_samples == 60 + 18 + 1, "lost beside the host");
    require(rnn_edge_app_push_samples(pcm, 1) == 1, "the sensor is heard again");
    return 0;
}
