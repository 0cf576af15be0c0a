/*
 * One record for both memories, the newest of which counts.
 */
#include "rnn_edge_keeper.h"

#include "rnn_edge_bytes.h"

enum {
    KEY_OFFSET = 0,
    RESTARTS_OFFSET = 4,
    STREAM_OFFSET = 8,
    STREAM_BYTES = RNN_EDGE_SERVED_STREAM_BYTES,
    DECISION_OFFSET = STREAM_OFFSET + STREAM_BYTES,
#ifdef RNN_EDGE_APP_SAMPLES
    FRONT_OFFSET = DECISION_OFFSET + (int)RNN_EDGE_DECISION_BYTES,
#endif
    BYTES = RNN_EDGE_KEPT_BYTES
};

/* The stores by where they are, less one. */
static rnn_edge_store stores[2];
static uint8_t buffer[RNN_EDGE_STORE_BUFFER_BYTES(RNN_EDGE_KEPT_BYTES)];
static uint8_t *const payload = buffer + RNN_EDGE_STORE_HEAD_BYTES;

static uint64_t sequence; /* of the newest record anywhere */
static rnn_edge_origin origin;
static uint8_t found;
static rnn_edge_keeper_counts counts;
static uint32_t until_ram;
static uint32_t until_flash;

static rnn_edge_store *store_of(rnn_edge_origin where) {
    return &stores[where - RNN_EDGE_FROM_RAM];
}

/* Takes the newest record of a store. */
static bool take(rnn_edge_origin where) {
    const rnn_edge_store *store = store_of(where);
    if (store->sequence == 0) {
        return false;
    }
    if (store->length != (uint32_t)BYTES) {
        found |= RNN_EDGE_KEPT_OTHER;
        return false;
    }
    rnn_edge_store_read(store, payload);
    if (rnn_edge_served_restore_stream(payload + STREAM_OFFSET, STREAM_BYTES) != RNN_EDGE_OK) {
        found |= RNN_EDGE_KEPT_OTHER;
        return false;
    }
    if (rnn_edge_get32(payload + KEY_OFFSET) != RNN_EDGE_APP_RULE_KEY ||
        !rnn_edge_decision_restore(payload + DECISION_OFFSET)) {
        found |= RNN_EDGE_KEPT_OTHER_RULE;
    }
#ifdef RNN_EDGE_APP_SAMPLES
    if (!rnn_edge_front_restore(payload + FRONT_OFFSET)) {
        found |= RNN_EDGE_KEPT_OTHER_FRONT;
    }
#endif
    counts.watchdog_restarts = rnn_edge_get32(payload + RESTARTS_OFFSET);
    origin = where;
    return true;
}

static void open_store(rnn_edge_origin where, const rnn_edge_medium *medium, uint8_t has_flag) {
    rnn_edge_store *store = store_of(where);
    rnn_edge_store_open(store, medium, BYTES);
    found |= store->medium != NULL ? has_flag : 0;
    found |= store->has_damage ? RNN_EDGE_KEPT_DAMAGED : 0;
    sequence = store->sequence > sequence ? store->sequence : sequence;
}

void rnn_edge_keeper_begin(void) {
    sequence = 0;
    found = 0;
    origin = RNN_EDGE_FROM_ZERO;
    counts = (rnn_edge_keeper_counts){0, 0, 0, 0};
    until_ram = RNN_EDGE_APP_RETAIN_EVERY;
    until_flash = RNN_EDGE_APP_FLASH_EVERY;
    open_store(RNN_EDGE_FROM_RAM, rnn_edge_board_retained(), RNN_EDGE_KEPT_HAS_RAM);
    open_store(RNN_EDGE_FROM_FLASH, rnn_edge_board_flash(), RNN_EDGE_KEPT_HAS_FLASH);
    const bool is_flash_newer =
        store_of(RNN_EDGE_FROM_FLASH)->sequence > store_of(RNN_EDGE_FROM_RAM)->sequence;
    const rnn_edge_origin first = is_flash_newer ? RNN_EDGE_FROM_FLASH : RNN_EDGE_FROM_RAM;
    const rnn_edge_origin second = is_flash_newer ? RNN_EDGE_FROM_RAM : RNN_EDGE_FROM_FLASH;
    if (!take(first)) {
        (void)take(second);
    }
    if (rnn_edge_board_started() == RNN_EDGE_START_WATCHDOG) {
        ++counts.watchdog_restarts;
        /* Counted once, however soon the next one comes. */
        (void)rnn_edge_keeper_save(RNN_EDGE_FROM_RAM);
    }
}

rnn_edge_origin rnn_edge_keeper_origin(void) {
    return origin;
}

uint8_t rnn_edge_keeper_found(void) {
    return found;
}

bool rnn_edge_keeper_save(rnn_edge_origin where) {
    rnn_edge_store *store = store_of(where);
    if (store->medium == NULL) {
        return false;
    }
    rnn_edge_put32(payload + KEY_OFFSET, RNN_EDGE_APP_RULE_KEY);
    rnn_edge_put32(payload + RESTARTS_OFFSET, counts.watchdog_restarts);
    rnn_edge_served_save_stream(payload + STREAM_OFFSET);
    rnn_edge_decision_save(payload + DECISION_OFFSET);
#ifdef RNN_EDGE_APP_SAMPLES
    rnn_edge_front_save(payload + FRONT_OFFSET);
#endif
    /* An erase may take long; whoever waits for it has just come through a turn. */
    rnn_edge_board_feed_watchdog();
    ++sequence;
    if (!rnn_edge_store_write(store, sequence, buffer, BYTES)) {
        ++counts.failed;
        return false;
    }
    ++*(where == RNN_EDGE_FROM_RAM ? &counts.ram : &counts.flash);
    return true;
}

static void count_down(uint32_t *left, uint32_t every, rnn_edge_origin where) {
    if (every != 0 && store_of(where)->medium != NULL && --*left == 0) {
        *left = every;
        (void)rnn_edge_keeper_save(where);
    }
}

void rnn_edge_keeper_stepped(void) {
    count_down(&until_ram, RNN_EDGE_APP_RETAIN_EVERY, RNN_EDGE_FROM_RAM);
    count_down(&until_flash, RNN_EDGE_APP_FLASH_EVERY, RNN_EDGE_FROM_FLASH);
}

const rnn_edge_keeper_counts *rnn_edge_keeper_counted(void) {
    return &counts;
}
