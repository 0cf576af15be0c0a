/*
 * Any bytes to the parser and to the server, and any payloads in frames that are sound.
 *
 * The first byte chooses: even, the rest goes over the line as it is; odd, it is cut into requests
 * of which each is due: a byte for the type, one for the length, the payload.
 */
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_link_server.h"

enum { SESSION = 0x51E55104, MOST = 255 };

static rnn_edge_link_server server;
static rnn_edge_link_parser parser;
static uint8_t buffer[RNN_EDGE_LINK_CONTENT_BYTES(RNN_EDGE_LINK_PAYLOAD)];
static unsigned answers;

void rnn_edge_platform_start_ticks(void) {
}

uint32_t rnn_edge_platform_ticks(void) {
    return 1;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 2;
}

static void require(bool is_so) {
    if (!is_so) {
        abort();
    }
}

/* Whatever a server sends has to be a frame, and an answer. */
static bool hear(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    for (size_t k = 0; k < count; ++k) {
        rnn_edge_link_frame frame;
        const rnn_edge_link_event event = rnn_edge_link_feed(&parser, bytes[k], &frame);
        require(event != RNN_EDGE_LINK_DAMAGED);
        if (event == RNN_EDGE_LINK_FRAME) {
            require((frame.type & RNN_EDGE_LINK_ANSWER) != 0);
            require(frame.length >= 1 && frame.payload[0] <= RNN_EDGE_LINK_OUT_OF_PLACE);
            ++answers;
        }
    }
    return true;
}

static bool feed(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    return rnn_edge_link_server_feed(&server, bytes, count);
}

static void send(uint8_t type, uint16_t sequence, const uint8_t *payload, size_t count) {
    static uint8_t content[RNN_EDGE_LINK_CONTENT_BYTES(MOST)];
    memcpy(content + RNN_EDGE_LINK_HEADER_BYTES, payload, count);
    const unsigned before = answers;
    rnn_edge_link_send(
        content, rnn_edge_link_seal(content, type, SESSION, sequence, (uint32_t)count), feed, NULL);
    require(answers == before + ((type & RNN_EDGE_LINK_ANSWER) != 0 ? 0 : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rnn_edge_link_begin(&parser, buffer, sizeof buffer);
    rnn_edge_link_server_begin(&server, hear, NULL);
    answers = 0;
    if (size == 0 || data[0] % 2 == 0) {
        require(size == 0 || rnn_edge_link_server_feed(&server, data + 1, size - 1));
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
