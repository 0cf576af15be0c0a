/*
 * A ring of received bytes: the interrupt writes it, the main loop reads it.
 *
 * Each index has one writer, so nothing has to be locked on one processor.
 */
#include "board/receive_ring.h"
#include "board/parts.h"
#include "rnn_edge_receive.h"

/* One place stays empty: a full ring is not an empty one. */
enum { PLACES = RNN_EDGE_RECEIVE_BYTES + 1 };

static volatile uint8_t bytes[PLACES];
static volatile uint32_t put_at;
static volatile uint32_t take_at;
static volatile uint32_t lost;

static uint32_t next(uint32_t at) {
    return at + 1 == PLACES ? 0 : at + 1;
}

void rnn_edge_ring_put(uint8_t byte) {
    const uint32_t at = put_at;
    const uint32_t after = next(at);
    if (after == take_at) {
        ++lost;
        return;
    }
    bytes[at] = byte;
    put_at = after;
}

void rnn_edge_ring_lose(uint32_t count) {
    lost += count;
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    size_t count = 0;
    uint32_t at = take_at;
    while (count < capacity && at != put_at) {
        to[count++] = bytes[at];
        at = next(at);
    }
    take_at = at;
    return count;
}

bool rnn_edge_nothing_received(void) {
    return take_at == put_at;
}

uint32_t rnn_edge_board_lost(void) {
    return lost;
}
