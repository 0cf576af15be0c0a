/*
 * Frames over a stream of bytes that may lose, garble, double or insert some.
 *
 * On the wire a frame is a zero, its content without any zero (consistent overhead byte stuffing),
 * and a zero. The content, numbers little-endian:
 *
 *   offset  bytes  what
 *   0       2      length of the payload, L
 *   2       1      type
 *   3       4      session
 *   7       2      sequence number
 *   9       L      payload
 *   9 + L   4      CRC-32 (as in IEEE 802.3 and zlib) of all bytes before
 *
 * docs/link.md says what the types mean. This file knows frames only, and no transport: the owner
 * of a parser feeds it bytes as they come.
 */
#ifndef RNN_EDGE_LINK_H
#define RNN_EDGE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RNN_EDGE_LINK_VERSION 1
#define RNN_EDGE_LINK_HEADER_BYTES 9U
#define RNN_EDGE_LINK_MOST_PAYLOAD 65000U

/* Bytes of a frame's content. */
#define RNN_EDGE_LINK_CONTENT_BYTES(payload) (RNN_EDGE_LINK_HEADER_BYTES + (payload) + 4U)

typedef struct {
    uint8_t type;
    uint32_t session;
    uint16_t sequence;
    const uint8_t *payload; /* [length], within the parser's buffer until the next byte is fed */
    uint32_t length;
} rnn_edge_link_frame;

typedef enum {
    RNN_EDGE_LINK_NOTHING, /* so far, or noise that is shorter than any frame */
    RNN_EDGE_LINK_FRAME,   /* a frame is complete */
    RNN_EDGE_LINK_DAMAGED  /* something ended that may have been a frame */
} rnn_edge_link_event;

typedef struct {
    uint8_t *buffer;
    uint32_t capacity;
    uint32_t filled; /* may be more than the capacity: what was too much was dropped */
    uint32_t seen;   /* bytes since the last zero */
    uint8_t code;    /* of the block */
    uint8_t left;    /* bytes of the block to come */
} rnn_edge_link_parser;

/* Begins at any place of a stream. buffer: [capacity], the greatest content that is taken. */
void rnn_edge_link_begin(rnn_edge_link_parser *parser, uint8_t *buffer, uint32_t capacity);

/* Takes the next byte of the stream. On RNN_EDGE_LINK_FRAME, and only then, *frame is filled. */
rnn_edge_link_event rnn_edge_link_feed(rnn_edge_link_parser *parser, uint8_t byte,
                                       rnn_edge_link_frame *frame);

/* Sends bytes. False: nobody takes them any more. */
typedef bool rnn_edge_link_write(void *context, const uint8_t *bytes, size_t count);

/*
 * Completes a content whose payload is in place, and returns its length.
 *
 * content  [RNN_EDGE_LINK_CONTENT_BYTES(length)], the payload at RNN_EDGE_LINK_HEADER_BYTES
 * length   of the payload, at most RNN_EDGE_LINK_MOST_PAYLOAD
 */
uint32_t rnn_edge_link_seal(uint8_t *content, uint8_t type, uint32_t session, uint16_t sequence,
                            uint32_t length);

/* Sends a sealed content as a frame. False: as the function that writes. */
bool rnn_edge_link_send(const uint8_t *content, uint32_t length, rnn_edge_link_write *write,
                        void *context);

#ifdef __cplusplus
}
#endif

#endif
