/*
 * Two threads on two ends of the ring of samples: what is taken comes out once, whole and in order,
 * and where samples were lost, that is said between them.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "rnn_edge_sample_ring.h"

enum { SAMPLES = 3000000, MOST = 300, VALUES = RNN_EDGE_APP_SAMPLE_VALUES };

static atomic_bool is_done;

static void *produce(void *unused) {
    (void)unused;
    static rnn_edge_sample piece[MOST * VALUES];
    unsigned seed = 1;
    for (long at = 0; at < SAMPLES;) {
        seed = seed * 1103515245U + 12345U;
        long count = (long)(seed >> 16) % MOST;
        count = count < SAMPLES - at ? count : SAMPLES - at;
        for (long k = 0; k < count * VALUES; ++k) {
            piece[k] = (rnn_edge_sample)((at + k / VALUES) % 32749);
        }
        const long taken = (long)rnn_edge_sample_ring_put(piece, (size_t)count);
        if (taken < count && seed % 5 == 0) {
            rnn_edge_sample_ring_lose();
            at += count;
        } else {
            at += taken;
            sched_yield();
        }
    }
    is_done = true;
    return NULL;
}

int main(void) {
    pthread_t producer;
    if (pthread_create(&producer, NULL, produce, NULL) != 0) {
        return 2;
    }
    long expected = 0;
    long gaps = 0;
    long heard = 0;
    bool is_behind_gap = false;
    for (;;) {
        /* Asked before: what is put until then is seen below. */
        const bool was_done = is_done;
        size_t count;
        const rnn_edge_sample *from = rnn_edge_sample_ring_peek(&count);
        if (!rnn_edge_sample_ring_is_sound()) {
            fprintf(stderr, "a ring that is none\n");
            return 1;
        }
        if (count == 0) {
            if (rnn_edge_sample_ring_end_gap()) {
                is_behind_gap = true;
                ++gaps;
            }
            if (was_done && rnn_edge_sample_ring_filled() == 0) {
                break;
            }
            sched_yield();
            continue;
        }
        count = heard % 3 == 0 && count > 1 ? count / 2 : count;
        if (is_behind_gap) {
            /* Something was lost: what comes is later, by less than a round of the numbers. */
            const long now = from[0];
            const long missing = (now - expected % 32749 + 32749) % 32749;
            expected += missing;
            is_behind_gap = false;
        }
        for (size_t k = 0; k < count; ++k, ++expected) {
            for (int j = 0; j < VALUES; ++j) {
                if (from[k * VALUES + (size_t)j] != (rnn_edge_sample)(expected % 32749)) {
                    fprintf(stderr, "sample %ld is another one\n", expected);
                    return 1;
                }
            }
        }
        rnn_edge_sample_ring_drop(count);
        ++heard;
    }
    pthread_join(producer, NULL);
    printf("%ld gaps\n", gaps);
    return gaps >= 2 ? 0 : 3;
}
