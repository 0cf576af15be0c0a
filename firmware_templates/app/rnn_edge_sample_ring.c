/*
 * Two places that go round, each written by one side only, and so are the two counts of gaps.
 */
#include "rnn_edge_sample_ring.h"

#include <stdatomic.h>
#include <string.h>

enum {
    SAMPLES = RNN_EDGE_APP_RING_SAMPLES,
    /* Places are counted twice round, so that a full ring is told from an empty one. */
    ROUND = 2 * SAMPLES,
    VALUES = RNN_EDGE_APP_SAMPLE_VALUES,
    SAMPLE_BYTES = (int)sizeof(rnn_edge_sample) * VALUES
};

_Static_assert(SAMPLES >= 1 && SAMPLES <= 65535, "a ring has 1 to 65,535 samples");

static rnn_edge_sample samples[SAMPLES * VALUES];

/* As in the ring of frames: words are read and written at once, and fences keep them in order. */
static volatile uint32_t put_at;
static volatile uint32_t taken_at;
static volatile uint32_t gaps;       /* that began; the producer's */
static volatile uint32_t ended_gaps; /* the consumer's */

static uint32_t between(uint32_t from, uint32_t to) {
    return to >= from ? to - from : to + ROUND - from;
}

static uint32_t moved(uint32_t at, uint32_t count) {
    return at + count >= ROUND ? at + count - ROUND : at + count;
}

static void copy(uint32_t place, const rnn_edge_sample *from, uint32_t count) {
    memcpy(samples + (size_t)place * VALUES, from, (size_t)count * SAMPLE_BYTES);
}

size_t rnn_edge_sample_ring_put(const rnn_edge_sample *from, size_t count) {
    if (gaps != ended_gaps) {
        return 0;
    }
    const uint32_t at = put_at;
    const uint32_t room = SAMPLES - between(taken_at, at);
    const uint32_t now = count < room ? (uint32_t)count : room;
    const uint32_t place = at % SAMPLES;
    const uint32_t first = now < SAMPLES - place ? now : SAMPLES - place;
    atomic_thread_fence(memory_order_acquire);
    copy(place, from, first);
    copy(0, from + (size_t)first * VALUES, now - first);
    atomic_thread_fence(memory_order_release);
    put_at = moved(at, now);
    return now;
}

void rnn_edge_sample_ring_lose(void) {
    if (gaps == ended_gaps) {
        atomic_thread_fence(memory_order_release);
        ++gaps;
    }
}

const rnn_edge_sample *rnn_edge_sample_ring_peek(size_t *count) {
    const uint32_t at = taken_at;
    const uint32_t filled = between(at, put_at);
    const uint32_t place = at % SAMPLES;
    atomic_thread_fence(memory_order_acquire);
    *count = filled < SAMPLES - place ? filled : SAMPLES - place;
    return samples + (size_t)place * VALUES;
}

void rnn_edge_sample_ring_drop(size_t count) {
    atomic_thread_fence(memory_order_release);
    taken_at = moved(taken_at, (uint32_t)count);
}

bool rnn_edge_sample_ring_end_gap(void) {
    const uint32_t begun = gaps;
    /* What was put before the gap began is seen now, and nothing has been put since. */
    atomic_thread_fence(memory_order_acquire);
    if (begun == ended_gaps || taken_at != put_at) {
        return false;
    }
    ended_gaps = begun;
    return true;
}

uint32_t rnn_edge_sample_ring_filled(void) {
    return between(taken_at, put_at);
}

uint32_t rnn_edge_sample_ring_empty(void) {
    const uint32_t end = put_at;
    const uint32_t count = between(taken_at, end);
    taken_at = end;
    ended_gaps = gaps;
    return count;
}

bool rnn_edge_sample_ring_is_sound(void) {
    return put_at < ROUND && taken_at < ROUND && rnn_edge_sample_ring_filled() <= SAMPLES &&
           gaps - ended_gaps <= 1;
}
