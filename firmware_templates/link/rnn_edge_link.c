/*
 * From bytes to frames and back.
 *
 * Source: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on
 * Networking 7(2), 1999: a block begins with the distance to the next zero, which it stands for,
 * or with 255 where 254 bytes follow that are none.
 */
#include "rnn_edge_link.h"

#include "rnn_edge_bytes.h"

enum {
    TYPE_OFFSET = 2,
    SESSION_OFFSET = 3,
    SEQUENCE_OFFSET = 7,
    CRC_BYTES = 4,
    LEAST_CONTENT = RNN_EDGE_LINK_CONTENT_BYTES(0),
    LEAST_SEEN = LEAST_CONTENT + 1,
    LONGEST_BLOCK = 255
};

_Static_assert(RNN_EDGE_LINK_HEADER_BYTES == SEQUENCE_OFFSET + 2, "the layout has gaps");

static uint16_t get16(const uint8_t *from) {
    return (uint16_t)(from[0] | (uint32_t)from[1] << 8);
}

static void put16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static void start_over(rnn_edge_link_parser *parser) {
    parser->filled = 0;
    parser->seen = 0;
    /* No zero stands before the first block. */
    parser->code = LONGEST_BLOCK;
    parser->left = 0;
}

void rnn_edge_link_begin(rnn_edge_link_parser *parser, uint8_t *buffer, uint32_t capacity) {
    parser->buffer = buffer;
    parser->capacity = capacity;
    start_over(parser);
}

static void take(rnn_edge_link_parser *parser, uint8_t byte) {
    if (parser->filled < parser->capacity) {
        parser->buffer[parser->filled++] = byte;
    } else {
        parser->filled = parser->capacity + 1;
    }
}

static bool is_sound(const rnn_edge_link_parser *parser) {
    const uint8_t *content = parser->buffer;
    const uint32_t filled = parser->filled;
    if (parser->left != 0 || filled > parser->capacity || filled < LEAST_CONTENT ||
        RNN_EDGE_LINK_CONTENT_BYTES((uint32_t)get16(content)) != filled) {
        return false;
    }
    return rnn_edge_get32(content + filled - CRC_BYTES) ==
           rnn_edge_crc32(content, filled - CRC_BYTES);
}

static rnn_edge_link_event finish(rnn_edge_link_parser *parser, rnn_edge_link_frame *frame) {
    rnn_edge_link_event event =
        parser->seen < LEAST_SEEN ? RNN_EDGE_LINK_NOTHING : RNN_EDGE_LINK_DAMAGED;
    if (is_sound(parser)) {
        const uint8_t *content = parser->buffer;
        frame->type = content[TYPE_OFFSET];
        frame->session = rnn_edge_get32(content + SESSION_OFFSET);
        frame->sequence = get16(content + SEQUENCE_OFFSET);
        frame->payload = content + RNN_EDGE_LINK_HEADER_BYTES;
        frame->length = get16(content);
        event = RNN_EDGE_LINK_FRAME;
    }
    start_over(parser);
    return event;
}

rnn_edge_link_event rnn_edge_link_feed(rnn_edge_link_parser *parser, uint8_t byte,
                                       rnn_edge_link_frame *frame) {
    if (byte == 0) {
        return finish(parser, frame);
    }
    if (parser->seen < LEAST_SEEN) {
        ++parser->seen;
    }
    if (parser->left != 0) {
        --parser->left;
        take(parser, byte);
        return RNN_EDGE_LINK_NOTHING;
    }
    if (parser->code != LONGEST_BLOCK) {
        take(parser, 0);
    }
    parser->code = byte;
    parser->left = (uint8_t)(byte - 1);
    return RNN_EDGE_LINK_NOTHING;
}

uint32_t rnn_edge_link_seal(uint8_t *content, uint8_t type, uint32_t session, uint16_t sequence,
                            uint32_t length) {
    const uint32_t checked = RNN_EDGE_LINK_HEADER_BYTES + length;
    put16(content, length);
    content[TYPE_OFFSET] = type;
    rnn_edge_put32(content + SESSION_OFFSET, session);
    put16(content + SEQUENCE_OFFSET, sequence);
    rnn_edge_put32(content + checked, rnn_edge_crc32(content, checked));
    return checked + CRC_BYTES;
}

bool rnn_edge_link_send(const uint8_t *content, uint32_t length, rnn_edge_link_write *write,
                        void *context) {
    static const uint8_t zero = 0;
    if (!write(context, &zero, 1)) {
        return false;
    }
    uint32_t at = 0;
    bool is_open = true; /* a block is due: behind a zero even where nothing follows it */
    while (is_open) {
        uint32_t stop = at;
        while (stop < length && content[stop] != 0 && stop - at < LONGEST_BLOCK - 1) {
            ++stop;
        }
        const uint8_t code = (uint8_t)(stop - at + 1);
        if (!write(context, &code, 1) || (stop != at && !write(context, content + at, stop - at))) {
            return false;
        }
        const bool has_zero = code != LONGEST_BLOCK && stop < length;
        is_open = has_zero || stop < length;
        at = has_zero ? stop + 1 : stop;
    }
    return write(context, &zero, 1);
}
