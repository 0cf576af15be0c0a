/*
 * Two places that go round, each written by one side only.
 */
#include "rnn_edge_frame_ring.h"

#include <stdatomic.h>
#include <string.h>

enum {
    FRAMES = RNN_EDGE_APP_RING_FRAMES,
    /* Places are counted twice round, so that a full ring is told from an empty one. */
    ROUND = 2 * FRAMES,
    FRAME_BYTES = 2 * RNN_EDGE_CONFIG_INPUTS
};

_Static_assert(FRAMES >= 1 && FRAMES <= 65535, "a ring has 1 to 65,535 frames");

static int16_t frames[FRAMES][RNN_EDGE_CONFIG_INPUTS];

/* Reading and writing a word is one access on every processor that this is for; what is before and
 * behind it is kept in order by fences, which every one of them has too. */
static volatile uint32_t put_at;
static volatile uint32_t taken_at;

static uint32_t between(uint32_t from, uint32_t to) {
    return to >= from ? to - from : to + ROUND - from;
}

static uint32_t next(uint32_t at) {
    return at + 1 == ROUND ? 0 : at + 1;
}

bool rnn_edge_frame_ring_put(const int16_t *frame) {
    const uint32_t at = put_at;
    if (between(taken_at, at) >= FRAMES) {
        return false;
    }
    atomic_thread_fence(memory_order_acquire);
    memcpy(frames[at % FRAMES], frame, FRAME_BYTES);
    atomic_thread_fence(memory_order_release);
    put_at = next(at);
    return true;
}

bool rnn_edge_frame_ring_take(int16_t *frame) {
    const uint32_t at = taken_at;
    if (at == put_at) {
        return false;
    }
    atomic_thread_fence(memory_order_acquire);
    memcpy(frame, frames[at % FRAMES], FRAME_BYTES);
    atomic_thread_fence(memory_order_release);
    taken_at = next(at);
    return true;
}

uint32_t rnn_edge_frame_ring_filled(void) {
    return between(taken_at, put_at);
}

uint32_t rnn_edge_frame_ring_empty(void) {
    const uint32_t end = put_at;
    const uint32_t count = between(taken_at, end);
    taken_at = end;
    return count;
}

bool rnn_edge_frame_ring_is_sound(void) {
    return put_at < ROUND && taken_at < ROUND && rnn_edge_frame_ring_filled() <= FRAMES;
}
