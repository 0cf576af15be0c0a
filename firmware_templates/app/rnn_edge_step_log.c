/*
 * Two rings of bytes, ready to be sent.
 */
#include "rnn_edge_step_log.h"

#include <string.h>

#include "rnn_edge_bytes.h"

enum {
    RECORDS = RNN_EDGE_APP_LOG_RECORDS,
    RECORD_BYTES = RNN_EDGE_LOG_RECORD_BYTES,
    EVENTS = RNN_EDGE_APP_EVENT_RECORDS,
    EVENT_BYTES = RNN_EDGE_EVENT_BYTES,
    HEAD_BYTES = 8
};

_Static_assert(EVENTS >= 1, "an event is remembered until its notice is sent");

/* The oldest record that is there, as a step number or as the number of an event, modulo 2^32. */
typedef struct {
    uint8_t *bytes;
    uint32_t record_bytes;
    uint32_t capacity;
    uint32_t filled;
    uint32_t at; /* where the next record goes */
} ring;

static uint8_t flags;

#if RNN_EDGE_APP_LOG_RECORDS > 0
static uint8_t records[RECORDS][RECORD_BYTES];
static ring steps = {records[0], RECORD_BYTES, RECORDS, 0, 0};
#endif

static uint8_t event_records[EVENTS][EVENT_BYTES];
static ring events = {event_records[0], EVENT_BYTES, EVENTS, 0, 0};
static uint32_t event_count;

static void clear(ring *all) {
    all->filled = 0;
    all->at = 0;
}

static uint8_t *take_place(ring *all) {
    uint8_t *const place = all->bytes + all->at * all->record_bytes;
    all->at = all->at + 1 == all->capacity ? 0 : all->at + 1;
    all->filled += all->filled < all->capacity ? 1 : 0;
    return place;
}

/* The record that is `back` before the next one; back is 1..filled. */
static const uint8_t *record_of(const ring *all, uint32_t back) {
    const uint32_t at = all->at >= back ? all->at - back : all->at + all->capacity - back;
    return all->bytes + at * all->record_bytes;
}

/* What counts is how far a number is from the oldest one: numbers go round. */
static uint8_t *put(const ring *all, uint8_t *to, uint32_t room, uint32_t next, uint32_t wanted) {
    const uint32_t oldest = next - all->filled;
    uint32_t skipped = wanted - oldest;
    skipped = skipped <= all->filled ? skipped : 0;
    rnn_edge_put32(to, oldest + skipped);
    rnn_edge_put32(to + 4, next);
    to += HEAD_BYTES;
    room = (room - HEAD_BYTES) / all->record_bytes;
    for (uint32_t left = all->filled - skipped; left != 0 && room != 0; --left, --room) {
        memcpy(to, record_of(all, left), all->record_bytes);
        to += all->record_bytes;
    }
    return to;
}

void rnn_edge_log_begin(void) {
    flags = RNN_EDGE_LOG_RESET;
    event_count = 0;
    clear(&events);
#if RNN_EDGE_APP_LOG_RECORDS > 0
    clear(&steps);
#endif
}

void rnn_edge_log_state_is(uint8_t flag) {
    flags = (uint8_t)((flags & RNN_EDGE_LOG_DROPPED) | flag);
}

void rnn_edge_log_note_dropped(void) {
    flags |= RNN_EDGE_LOG_DROPPED;
}

void rnn_edge_log_step(bool is_deployed, bool was_reset, const rnn_edge_decision *decision) {
    if (was_reset) {
        rnn_edge_log_state_is(RNN_EDGE_LOG_RESET);
    }
    if (is_deployed) {
        flags |= RNN_EDGE_LOG_DEPLOYED;
    }
    if (decision != NULL) {
        flags |= RNN_EDGE_LOG_DECIDED;
        flags |= rnn_edge_decision_is_faulty() ? RNN_EDGE_LOG_FAULTY : 0;
    }
#if RNN_EDGE_APP_LOG_RECORDS > 0
    uint8_t *to = take_place(&steps);
    *to++ = flags;
    *to++ = decision != NULL ? decision->label : 0;
    rnn_edge_put32(to, decision != NULL ? decision->score : 0);
    rnn_edge_served_put_outputs(rnn_edge_served_put_frame(to + 4));
#endif
    flags = 0;
}

#if RNN_EDGE_APP_LOG_RECORDS > 0
uint8_t *rnn_edge_log_put(uint8_t *to, uint32_t room, uint32_t step) {
    return put(&steps, to, room, rnn_edge_served_steps(), step);
}
#endif

uint32_t rnn_edge_log_event(bool has_begun, uint8_t label, uint32_t score) {
    uint8_t *to = take_place(&events);
    rnn_edge_put32(to, event_count);
    rnn_edge_put32(to + 4, rnn_edge_served_steps() - 1);
    to[8] = has_begun ? 1 : 0;
    to[9] = label;
    rnn_edge_put32(to + 10, score);
    return event_count++;
}

uint32_t rnn_edge_log_events(void) {
    return event_count;
}

uint8_t *rnn_edge_log_put_event(uint8_t *to, uint32_t number) {
    memcpy(to, record_of(&events, event_count - number), EVENT_BYTES);
    return to + EVENT_BYTES;
}

uint8_t *rnn_edge_log_put_events(uint8_t *to, uint32_t room, uint32_t number) {
    return put(&events, to, room, event_count, number);
}
