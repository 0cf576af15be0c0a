/*
 * Any bytes to the parser and to the application behind it, and any payloads in frames that are
 * sound.
 *
 * The first byte chooses: even, the rest goes over the line as it is; odd, it is cut into requests
 * of which each is due: a byte for the type, one for the length, the payload.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_app.h"
#include "rnn_edge_board.h"
#include "rnn_edge_keeper.h"
#include "rnn_edge_link_server.h"

enum { SESSION = 0x51E55104, MOST = 255, MOST_LINE = 1 << 13, RAM_BYTES = 1024 };

static rnn_edge_link_parser parser;
static uint8_t buffer[RNN_EDGE_LINK_CONTENT_BYTES(RNN_EDGE_LINK_PAYLOAD)];
static unsigned answers;
static uint8_t line[MOST_LINE];
static size_t filled;
static size_t taken;
static uint8_t ram[2][RAM_BYTES];
static jmp_buf start;
static rnn_edge_board_start cause;

static void require(bool is_so) {
    if (!is_so) {
        abort();
    }
}

void rnn_edge_platform_start_ticks(void) {
}

uint32_t rnn_edge_platform_ticks(void) {
    return 1;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 2;
}

void rnn_edge_board_begin(void) {
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    const size_t count = filled - taken < capacity ? filled - taken : capacity;
    memcpy(to, line + taken, count);
    taken += count;
    return count;
}

uint32_t rnn_edge_board_lost(void) {
    return 3;
}

/* Whatever a device sends has to be a frame, and an answer. */
bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        rnn_edge_link_frame frame;
        const rnn_edge_link_event event = rnn_edge_link_feed(&parser, bytes[k], &frame);
        require(event != RNN_EDGE_LINK_DAMAGED);
        if (event == RNN_EDGE_LINK_FRAME) {
            require((frame.type & RNN_EDGE_LINK_ANSWER) != 0);
            require(frame.length >= 1 && frame.payload[0] <= RNN_EDGE_LINK_OUT_OF_PLACE);
            /* An answer to a type that nobody knows may look like a notice, but for its status. */
            const bool is_notice =
                frame.type == RNN_EDGE_LINK_EVENT_NOTICE && frame.payload[0] == RNN_EDGE_LINK_OK;
            answers += is_notice ? 0 : 1;
        }
    }
    return true;
}

void rnn_edge_board_idle(void) {
}

void rnn_edge_board_show(bool is_detected) {
    (void)is_detected;
}

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    (void)timeout_ms;
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return cause;
}

_Noreturn void rnn_edge_board_restart(void) {
    longjmp(start, 1);
}

static void read_ram(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {
    require(place < 2 && offset <= RAM_BYTES && count <= RAM_BYTES - offset);
    memcpy(to, ram[place] + offset, count);
}

static bool erase_ram(unsigned place) {
    return place < 2;
}

static bool write_ram(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    require(place < 2 && offset <= RAM_BYTES && count <= RAM_BYTES - offset);
    memcpy(ram[place] + offset, from, count);
    return true;
}

const rnn_edge_medium *rnn_edge_board_retained(void) {
    static const rnn_edge_medium medium = {"ram",    RAM_BYTES, 4,        false,
                                           read_ram, erase_ram, write_ram};
    return &medium;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    return NULL;
}

static void turn(void) {
    if (setjmp(start) != 0) {
        cause = RNN_EDGE_START_SOFTWARE;
        rnn_edge_app_begin();
    }
    while (rnn_edge_app_turn()) {
    }
    require(taken == filled);
    filled = 0;
    taken = 0;
}

static bool put(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    require(count <= sizeof line - filled);
    memcpy(line + filled, bytes, count);
    filled += count;
    return true;
}

static void send(uint8_t type, uint16_t sequence, const uint8_t *payload, size_t count) {
    static uint8_t content[RNN_EDGE_LINK_CONTENT_BYTES(MOST)];
    memcpy(content + RNN_EDGE_LINK_HEADER_BYTES, payload, count);
    const unsigned before = answers;
    rnn_edge_link_send(
        content, rnn_edge_link_seal(content, type, SESSION, sequence, (uint32_t)count), put, NULL);
    turn();
    require(answers == before + ((type & RNN_EDGE_LINK_ANSWER) != 0 ? 0 : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rnn_edge_link_begin(&parser, buffer, sizeof buffer);
    memset(ram, 0, sizeof ram);
    cause = RNN_EDGE_START_POWER;
    filled = 0;
    taken = 0;
    answers = 0;
    rnn_edge_app_begin();
    require(rnn_edge_keeper_origin() == RNN_EDGE_FROM_ZERO);
    if (size == 0 || data[0] % 2 == 0) {
        put(NULL, data + 1, size == 0 ? 0 : size - 1);
        turn();
        return 0;
    }
    static const uint8_t version = RNN_EDGE_LINK_VERSION;
    send(RNN_EDGE_LINK_OPEN, 0, &version, 1);
    uint16_t sequence = 0;
    for (size_t at = 1; at + 2 <= size;) {
        const uint8_t type = data[at];
        const size_t left = size - at - 2;
        const size_t count = data[at + 1] < left ? data[at + 1] : left;
        /* A frame of a stream has its own numbers; the first byte of its payload gives one. */
        if (type == RNN_EDGE_LINK_STREAM_FRAME) {
            send(type, count != 0 ? data[at + 2] : 0, data + at + 2, count);
        } else {
            send(type,
                 (type & RNN_EDGE_LINK_ANSWER) == 0 && type != RNN_EDGE_LINK_OPEN ? ++sequence : 0,
                 data + at + 2, count);
        }
        at += 2 + count;
    }
    return 0;
}
