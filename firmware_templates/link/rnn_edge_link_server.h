/*
 * Answers a host over frames: the model of rnn_edge_config.h behind a line that may lose bytes.
 *
 *     static rnn_edge_link_server server;
 *     rnn_edge_link_server_begin(&server, send_bytes, NULL, NULL);
 *     for (;;) {
 *         const size_t count = receive_bytes(buffer);
 *         rnn_edge_link_server_feed(&server, buffer, count);
 *     }
 *
 * The application of rnn_edge_app.h has requests of its own; they come in through an extension.
 *
 * A request has a sequence number, one more than the one before, and is executed once: when it
 * comes again it is answered with what it was answered before. docs/link.md has the protocol.
 *
 * The model has one stream, in rnn_edge_served.c, and therefore one server.
 */
#ifndef RNN_EDGE_LINK_SERVER_H
#define RNN_EDGE_LINK_SERVER_H

#include "rnn_edge_link.h"
#include "rnn_edge_served.h"

/* The greatest payload, of requests and of answers. */
#ifndef RNN_EDGE_LINK_PAYLOAD
#define RNN_EDGE_LINK_PAYLOAD 512
#endif

/* Frames of a stream that a host may have under way: 1..255. They must fit what the platform keeps
 * of received bytes while the model steps. */
#ifndef RNN_EDGE_LINK_CREDITS
#define RNN_EDGE_LINK_CREDITS 8
#endif

typedef enum {
    RNN_EDGE_LINK_OPEN = 0x01,
    RNN_EDGE_LINK_IDENTIFY = 0x02,
    RNN_EDGE_LINK_CAPABILITIES = 0x03,
    RNN_EDGE_LINK_PING = 0x04,
    RNN_EDGE_LINK_RESET = 0x05,
    RNN_EDGE_LINK_GET_STATE = 0x06,
    RNN_EDGE_LINK_PUT_STATE = 0x07,
    RNN_EDGE_LINK_COMMIT_STATE = 0x08,
    RNN_EDGE_LINK_STEP = 0x09,
    RNN_EDGE_LINK_STREAM_BEGIN = 0x0A,
    RNN_EDGE_LINK_STREAM_FRAME = 0x0B,
    RNN_EDGE_LINK_STREAM_END = 0x0C,
    RNN_EDGE_LINK_COUNTERS = 0x0D,
    RNN_EDGE_LINK_LOG = 0x0E,
    RNN_EDGE_LINK_ABOUT = 0x0F,
    RNN_EDGE_LINK_MODE = 0x10,
    RNN_EDGE_LINK_FEED = 0x11,
    RNN_EDGE_LINK_STATUS = 0x12,
    RNN_EDGE_LINK_SAVE = 0x13,
    RNN_EDGE_LINK_RESTART = 0x14,
    RNN_EDGE_LINK_EVENTS = 0x15,
    RNN_EDGE_LINK_SAMPLES = 0x16,
    RNN_EDGE_LINK_ANSWER = 0x80,        /* added to the type of a request */
    RNN_EDGE_LINK_EVENT_NOTICE = 0xFE,  /* a detection began or ended; nobody asked */
    RNN_EDGE_LINK_DAMAGE_NOTICE = 0xFF, /* answers what was damaged */
} rnn_edge_link_type;

/* The first byte of every answer. */
typedef enum {
    RNN_EDGE_LINK_OK = 0,
    RNN_EDGE_LINK_NOT_SUPPORTED = 1, /* an unknown type, or an unknown version in an open */
    RNN_EDGE_LINK_BAD_REQUEST = 2,   /* a payload that is none of this type */
    RNN_EDGE_LINK_NO_SESSION = 3,    /* the device has started again, or serves another host */
    RNN_EDGE_LINK_OUT_OF_ORDER = 4,  /* not the sequence number that is due */
    RNN_EDGE_LINK_REFUSED = 5,       /* a state that is not taken; -rnn_edge_status follows */
    RNN_EDGE_LINK_TOO_LARGE = 6,     /* the answer would be more than a payload */
    RNN_EDGE_LINK_OUT_OF_PLACE = 7   /* not now: within a stream, or while an application runs */
} rnn_edge_link_status;

enum {
    RNN_EDGE_LINK_WITH_STATES = 1, /* of a step: states behind the outputs */
    RNN_EDGE_LINK_DEPLOYED = 2     /* of a step or a stream: under the reset policy */
};

enum {
    /* The longest answer that is not remembered: an open, an output of a stream, or a notice. */
    RNN_EDGE_LINK_NOTICE_BYTES = 16,
    RNN_EDGE_LINK_NOTICE_PAYLOAD = 1 + (RNN_EDGE_SERVED_OUTPUT_BYTES > RNN_EDGE_LINK_NOTICE_BYTES
                                            ? RNN_EDGE_SERVED_OUTPUT_BYTES
                                            : RNN_EDGE_LINK_NOTICE_BYTES)
};

typedef struct rnn_edge_link_server rnn_edge_link_server;

/* What a handler of a request has, and what it leaves. */
typedef struct {
    const uint8_t *payload; /* [length] */
    uint32_t length;
    uint8_t *to; /* where the answer goes on, behind the status; moved by the handler */
} rnn_edge_link_request;

/* Bytes of an answer behind its status. */
#define RNN_EDGE_LINK_ROOM (RNN_EDGE_LINK_PAYLOAD - 1U)

typedef enum {
    RNN_EDGE_LINK_ALWAYS,
    RNN_EDGE_LINK_FREELY, /* not within a stream */
    RNN_EDGE_LINK_OWNING, /* not within a stream, and where a host may change the model */
    RNN_EDGE_LINK_WITHIN  /* within a stream only */
} rnn_edge_link_place;

/* A type of request: the lengths that its payload may have, when it may come, what it does. */
typedef struct {
    uint8_t type;
    uint8_t least;
    uint16_t most; /* RNN_EDGE_LINK_ANY_LENGTH: as long as a payload is */
    rnn_edge_link_place place;
    rnn_edge_link_status (*handle)(rnn_edge_link_server *server, rnn_edge_link_request *asked);
} rnn_edge_link_kind;

#define RNN_EDGE_LINK_ANY_LENGTH 0xFFFFU

/* What an application adds to a server, and is told by it. */
typedef struct {
    const rnn_edge_link_kind *kinds; /* [kind_count] */
    uint8_t kind_count;
    uint32_t log_records; /* for those who ask */
    /* Whether a host may change the model now. */
    bool (*may_change)(void);
    /* The model was stepped for a host. */
    void (*stepped)(bool is_deployed, bool was_reset);
    /* A host has set the state, to zero or to another one. */
    void (*state_set)(bool is_zero);
} rnn_edge_link_extension;

struct rnn_edge_link_server {
    rnn_edge_link_parser parser;
    rnn_edge_link_write *write;
    void *context;
    const rnn_edge_link_extension *extension; /* or NULL */

    uint32_t session;       /* 0: no host has opened one since the start */
    uint16_t last;          /* sequence number of the last request that was executed */
    uint32_t answer_length; /* of its answer; 0: there was none in this session */

    uint32_t damaged;  /* contents that were no frame */
    uint32_t repeated; /* requests and frames of a stream that were answered again */

    enum { RNN_EDGE_LINK_BLOB_NONE, RNN_EDGE_LINK_BLOB_GIVEN, RNN_EDGE_LINK_BLOB_TAKEN } blob_use;
    uint32_t blob_filled;

    bool is_streaming;
    bool is_stream_deployed;
    uint16_t stream_next;   /* number of the frame that is due */
    uint32_t stream_frames; /* since the stream began */

    uint8_t received[RNN_EDGE_LINK_CONTENT_BYTES(RNN_EDGE_LINK_PAYLOAD)];
    uint8_t answer[RNN_EDGE_LINK_CONTENT_BYTES(RNN_EDGE_LINK_PAYLOAD)];
    uint8_t notice[RNN_EDGE_LINK_CONTENT_BYTES(RNN_EDGE_LINK_NOTICE_PAYLOAD)];
    uint8_t blob[RNN_EDGE_SERVED_BLOB_BYTES];
    uint8_t results[RNN_EDGE_LINK_CREDITS][RNN_EDGE_SERVED_OUTPUT_BYTES];
};

/* Begins without a session; the model's stream is where it is. extension: or NULL. */
void rnn_edge_link_server_begin(rnn_edge_link_server *server, rnn_edge_link_write *write,
                                void *context, const rnn_edge_link_extension *extension);

/* Takes bytes as they come, in any portions, and answers. False: nobody takes the answers. */
bool rnn_edge_link_server_feed(rnn_edge_link_server *server, const uint8_t *bytes, size_t count);

/* Sends a notice that nobody asked for, where there is a session: one that is lost is lost, which
 * is told by the numbers that notices have. count: at most RNN_EDGE_LINK_NOTICE_BYTES. */
void rnn_edge_link_server_notice(rnn_edge_link_server *server, uint8_t type, uint16_t number,
                                 const uint8_t *content, uint32_t count);

#endif
