/*
 * Two threads on two ends of the ring, as two cores or an interrupt are: whatever is handed over
 * comes out once, whole and in order.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "rnn_edge_frame_ring.h"

enum { FRAMES = 400000, VALUES = RNN_EDGE_CONFIG_INPUTS };

static void *produce(void *unused) {
    (void)unused;
    int16_t frame[VALUES];
    for (long k = 0; k < FRAMES; ++k) {
        for (int j = 0; j < VALUES; ++j) {
            frame[j] = (int16_t)((k + j) % 32749);
        }
        while (!rnn_edge_frame_ring_put(frame)) {
            sched_yield();
        }
    }
    return NULL;
}

int main(void) {
    pthread_t producer;
    if (pthread_create(&producer, NULL, produce, NULL) != 0) {
        return 2;
    }
    int16_t frame[VALUES];
    for (long k = 0; k < FRAMES; ++k) {
        while (!rnn_edge_frame_ring_take(frame)) {
            sched_yield();
        }
        for (int j = 0; j < VALUES; ++j) {
            if (frame[j] != (int16_t)((k + j) % 32749) || !rnn_edge_frame_ring_is_sound()) {
                fprintf(stderr, "frame %ld is another one\n", k);
                return 1;
            }
        }
    }
    pthread_join(producer, NULL);
    return rnn_edge_frame_ring_filled() == 0 ? 0 : 3;
}
