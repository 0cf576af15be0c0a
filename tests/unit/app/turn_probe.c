/*
 * The main loop on a board that exists in this file only: what a turn does, and that nothing
 * starves it. Time is what functions of the board take; a watchdog that is not fed in time is seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_app.h"
#include "rnn_edge_board.h"
#include "rnn_edge_frame_ring.h"
#include "rnn_edge_keeper.h"
#include "rnn_edge_link.h"
#include "rnn_edge_link_server.h"

enum { TURNS = 20000, MOST_WAITING = 1 << 16 };

static uint8_t waiting[MOST_WAITING];
static size_t waiting_count;
static size_t taken_count;
static unsigned receives;
static unsigned feeds;
static unsigned shows;
static unsigned starts;
static bool is_shown;
static bool takes_answers = true;
static size_t sent;
static uint32_t watchdog_ms;
static rnn_edge_board_start cause = RNN_EDGE_START_POWER;

static void require(bool is_so, const char *what) {
    if (!is_so) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

void rnn_edge_platform_start_ticks(void) {
}

uint32_t rnn_edge_platform_ticks(void) {
    return 7;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

void rnn_edge_board_begin(void) {
    ++starts;
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    const size_t left = waiting_count - taken_count;
    const size_t count = left < capacity ? left : capacity;
    ++receives;
    memcpy(to, waiting + taken_count, count);
    taken_count += count;
    return count;
}

uint32_t rnn_edge_board_lost(void) {
    return 0;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    (void)bytes;
    sent += count;
    return takes_answers;
}

void rnn_edge_board_idle(void) {
    require(false, "the application waits");
}

void rnn_edge_board_show(bool is_detected) {
    is_shown = is_detected;
    ++shows;
}

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    watchdog_ms = timeout_ms;
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    ++feeds;
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return cause;
}

_Noreturn void rnn_edge_board_restart(void) {
    require(false, "the board restarts");
    abort();
}

const rnn_edge_medium *rnn_edge_board_retained(void) {
    return NULL;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    return NULL;
}

static bool put(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    if (count <= sizeof waiting - waiting_count) {
        memcpy(waiting + waiting_count, bytes, count);
        waiting_count += count;
    }
    return true;
}

static void ask(uint8_t type, uint16_t sequence, const uint8_t *payload, uint32_t count) {
    static uint8_t content[RNN_EDGE_LINK_CONTENT_BYTES(RNN_EDGE_LINK_PAYLOAD)];
    memcpy(content + RNN_EDGE_LINK_HEADER_BYTES, payload, count);
    rnn_edge_link_send(content, rnn_edge_link_seal(content, type, 9, sequence, count), put, NULL);
}

static void forget_line(void) {
    waiting_count = 0;
    taken_count = 0;
}

static int16_t frame[RNN_EDGE_CONFIG_INPUTS];

/* A host that never stops talking does not keep a frame waiting for more than a turn. */
static void flood(void) {
    static const uint8_t version = RNN_EDGE_LINK_VERSION;
    uint16_t sequence = 0;
    ask(RNN_EDGE_LINK_OPEN, 0, &version, 1);
    for (unsigned k = 0; k < TURNS; ++k) {
        if (taken_count == waiting_count) {
            forget_line();
        }
        while (waiting_count < 4096) {
            static const uint8_t noise[40] = {0, 1, 2, 3, 0, 0xFF};
            if (waiting_count % 3 == 0) {
                put(NULL, noise, sizeof noise);
            } else {
                ask(RNN_EDGE_LINK_PING, ++sequence, noise, 30);
            }
        }
        require(rnn_edge_app_push(frame), "no room, though the ring is empty");
        const uint32_t before = rnn_edge_app_counted().frames;
        const unsigned fed = feeds;
        const size_t taken = taken_count;
        require(rnn_edge_app_turn(), "a turn with work says that there was none");
        require(rnn_edge_app_counted().frames == before + 1, "a frame waits for the host");
        require(feeds == fed + 1, "the watchdog is not fed once a turn");
        require(taken_count - taken <= RNN_EDGE_APP_RECEIVE_BYTES, "a turn takes more of the link");
    }
}

int main(void) {
    rnn_edge_app_begin();
    require(starts == 1, "the board begins once");
    require(watchdog_ms == RNN_EDGE_APP_WATCHDOG_MS, "the watchdog has another time");
    require(!rnn_edge_app_turn(), "a turn without work says that there was some");
    require(feeds == 1, "a turn without work feeds the watchdog");
    flood();
    require(sent > 0, "nothing was answered");

    /* Nobody takes answers any more: the application goes on. */
    takes_answers = false;
    flood();
    takes_answers = true;

    /* A burst of the sensor: what does not fit is dropped and counted. */
    forget_line();
    const uint32_t dropped = rnn_edge_app_counted().dropped;
    for (unsigned k = 0; k < RNN_EDGE_APP_RING_FRAMES + 5; ++k) {
        require(rnn_edge_app_push(frame) == (k < RNN_EDGE_APP_RING_FRAMES), "the ring's size");
    }
    require(rnn_edge_app_counted().dropped == dropped + 5, "dropped frames are counted");
    const uint32_t frames = rnn_edge_app_counted().frames;
    for (unsigned k = 0; k < RNN_EDGE_APP_RING_FRAMES; ++k) {
        require(rnn_edge_app_turn(), "a frame waits");
        require(rnn_edge_app_counted().frames == frames + k + 1, "one frame a turn");
    }
    require(!rnn_edge_app_turn(), "no frame waits");
    require(rnn_edge_app_counted().most_filled == RNN_EDGE_APP_RING_FRAMES, "most that waited");

    /* A host has the model: the sensor's frames are dropped and counted. */
    rnn_edge_app_set_mode(RNN_EDGE_MODE_HOST);
    require(!rnn_edge_app_push(frame) && !rnn_edge_app_feed(frame), "frames beside the host's");
    require(rnn_edge_app_counted().dropped == dropped + 6, "dropped beside the host");
    rnn_edge_app_set_mode(RNN_EDGE_MODE_FED);
    require(!rnn_edge_app_push(frame) && rnn_edge_app_feed(frame), "frames beside the fed ones");
    rnn_edge_app_set_mode(RNN_EDGE_MODE_SENSOR);
    require(rnn_edge_app_counted().dropped == dropped + 8, "what waited is dropped");

    /* An application that is not itself any more starves its watchdog, whatever the link says. */
    rnn_edge_app_set_mode((rnn_edge_app_mode)77);
    const unsigned fed = feeds;
    ask(RNN_EDGE_LINK_PING, 1, (const uint8_t *)"x", 1);
    rnn_edge_app_turn();
    require(feeds == fed, "the watchdog is fed by an application that is broken");
    printf("%u turns, %u feeds, %u shows\n", 2U * TURNS, feeds, shows);
    return 0;
}
