/*
 * The requests of a host, each executed once.
 */
#include "rnn_edge_link_server.h"

#include <string.h>

enum {
    HEADER_BYTES = RNN_EDGE_LINK_HEADER_BYTES,
    FRAME_BYTES = RNN_EDGE_SERVED_FRAME_BYTES,
    OUTPUT_BYTES = RNN_EDGE_SERVED_OUTPUT_BYTES,
    STATE_BYTES = RNN_EDGE_SERVED_STATE_BYTES,
    BLOB_BYTES = RNN_EDGE_SERVED_BLOB_BYTES,
    PAYLOAD = RNN_EDGE_LINK_PAYLOAD,
    CREDITS = RNN_EDGE_LINK_CREDITS,
    ANY_LENGTH = RNN_EDGE_LINK_ANY_LENGTH,
    LONGEST_NAME = 64,
    MOST_KINDS = 32
};

_Static_assert(PAYLOAD <= (int)RNN_EDGE_LINK_MOST_PAYLOAD, "a payload has a length of 16 bits");
_Static_assert(1 + FRAME_BYTES <= PAYLOAD, "a payload holds a frame");
_Static_assert(1 + OUTPUT_BYTES + STATE_BYTES <= PAYLOAD, "a payload holds outputs and states");
_Static_assert(1 + 1 + RNN_EDGE_SERVED_IDENTITY_BYTES + 2 + 1 + LONGEST_NAME <= PAYLOAD,
               "a payload holds an identity");
_Static_assert(1 + 8 + 2 + MOST_KINDS <= PAYLOAD, "a payload holds the capabilities");
_Static_assert(CREDITS >= 1 && CREDITS <= 255, "a stream has 1 to 255 frames under way");

static uint8_t *put16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static void step(const rnn_edge_link_server *server, const uint8_t *frame, bool is_deployed) {
    const bool was_reset = rnn_edge_served_step(frame, is_deployed);
    if (server->extension != NULL) {
        server->extension->stepped(is_deployed, was_reset);
    }
}

static void tell_state_set(const rnn_edge_link_server *server, bool is_zero) {
    if (server->extension != NULL) {
        server->extension->state_set(is_zero);
    }
}

/* Handlers get the payload of a request, write what follows the status, and tell where it ends. */

typedef rnn_edge_link_request request;

static rnn_edge_link_status identify(rnn_edge_link_server *server, request *asked) {
    (void)server;
    const rnn_edge_model *model = &RNN_EDGE_CONFIG_MODEL;
    size_t length = 0;
    while (length < LONGEST_NAME && model->name[length] != 0) {
        ++length;
    }
    *asked->to++ = RNN_EDGE_LINK_VERSION;
    asked->to = rnn_edge_served_put_identity(asked->to);
    *asked->to++ = (uint8_t)model->input_exponent;
    *asked->to++ = (uint8_t)model->output_exponent;
    *asked->to++ = (uint8_t)length;
    memcpy(asked->to, model->name, length);
    asked->to += length;
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status tell_capabilities(rnn_edge_link_server *server, request *asked);

static rnn_edge_link_status ping(rnn_edge_link_server *server, request *asked) {
    (void)server;
    if (asked->length > PAYLOAD - 1) {
        return RNN_EDGE_LINK_TOO_LARGE;
    }
    memcpy(asked->to, asked->payload, asked->length);
    asked->to += asked->length;
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status reset(rnn_edge_link_server *server, request *asked) {
    (void)asked;
    rnn_edge_served_reset();
    tell_state_set(server, true);
    return RNN_EDGE_LINK_OK;
}

/* All parts are of the moment at which the first one was asked for. */
static rnn_edge_link_status get_state(rnn_edge_link_server *server, request *asked) {
    const uint32_t offset = rnn_edge_served_get32(asked->payload);
    if (offset == 0) {
        rnn_edge_served_save(server->blob);
        server->blob_use = RNN_EDGE_LINK_BLOB_GIVEN;
    }
    if (server->blob_use != RNN_EDGE_LINK_BLOB_GIVEN || offset > BLOB_BYTES) {
        return RNN_EDGE_LINK_BAD_REQUEST;
    }
    const uint32_t left = BLOB_BYTES - offset;
    const uint32_t room = PAYLOAD - 1 - 4;
    const uint32_t count = left < room ? left : room;
    asked->to = rnn_edge_served_put32(asked->to, BLOB_BYTES);
    memcpy(asked->to, server->blob + offset, count);
    asked->to += count;
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status put_state(rnn_edge_link_server *server, request *asked) {
    const uint32_t offset = rnn_edge_served_get32(asked->payload);
    const uint32_t count = asked->length - 4;
    if (offset == 0) {
        server->blob_use = RNN_EDGE_LINK_BLOB_TAKEN;
        server->blob_filled = 0;
    }
    if (server->blob_use != RNN_EDGE_LINK_BLOB_TAKEN || offset != server->blob_filled ||
        count > BLOB_BYTES - server->blob_filled) {
        return RNN_EDGE_LINK_BAD_REQUEST;
    }
    memcpy(server->blob + offset, asked->payload + 4, count);
    server->blob_filled += count;
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status commit_state(rnn_edge_link_server *server, request *asked) {
    if (server->blob_use != RNN_EDGE_LINK_BLOB_TAKEN) {
        return RNN_EDGE_LINK_BAD_REQUEST;
    }
    server->blob_use = RNN_EDGE_LINK_BLOB_NONE;
    const rnn_edge_status status = rnn_edge_served_restore(server->blob, server->blob_filled);
    if (status != RNN_EDGE_OK) {
        *asked->to++ = (uint8_t)(-(int)status);
        return RNN_EDGE_LINK_REFUSED;
    }
    tell_state_set(server, false);
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status step_frames(rnn_edge_link_server *server, request *asked) {
    const uint8_t flags = asked->payload[0];
    const bool with_states = (flags & RNN_EDGE_LINK_WITH_STATES) != 0;
    const uint32_t count = (asked->length - 1) / FRAME_BYTES;
    if ((flags & ~(RNN_EDGE_LINK_WITH_STATES | RNN_EDGE_LINK_DEPLOYED)) != 0 ||
        count * FRAME_BYTES != asked->length - 1) {
        return RNN_EDGE_LINK_BAD_REQUEST;
    }
    if (count >
        (uint32_t)(PAYLOAD - 1) / (uint32_t)(OUTPUT_BYTES + (with_states ? STATE_BYTES : 0))) {
        return RNN_EDGE_LINK_TOO_LARGE;
    }
    for (uint32_t k = 0; k < count; ++k) {
        step(server, asked->payload + 1 + k * FRAME_BYTES, (flags & RNN_EDGE_LINK_DEPLOYED) != 0);
        asked->to = rnn_edge_served_put_outputs(asked->to);
        if (with_states) {
            asked->to = rnn_edge_served_put_state(asked->to);
        }
    }
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status begin_stream(rnn_edge_link_server *server, request *asked) {
    const uint8_t flags = asked->payload[0];
    if ((flags & ~RNN_EDGE_LINK_DEPLOYED) != 0) {
        return RNN_EDGE_LINK_BAD_REQUEST;
    }
    server->is_streaming = true;
    server->is_stream_deployed = flags != 0;
    server->stream_next = 0;
    server->stream_frames = 0;
    asked->to = put16(asked->to, CREDITS);
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status end_stream(rnn_edge_link_server *server, request *asked) {
    server->is_streaming = false;
    asked->to = rnn_edge_served_put32(asked->to, server->stream_frames);
    return RNN_EDGE_LINK_OK;
}

static rnn_edge_link_status tell_counters(rnn_edge_link_server *server, request *asked) {
    asked->to = rnn_edge_served_put_counters(asked->to);
    asked->to = rnn_edge_served_put32(asked->to, server->damaged);
    asked->to = rnn_edge_served_put32(asked->to, server->repeated);
    return RNN_EDGE_LINK_OK;
}

static const rnn_edge_link_kind KINDS[] = {
    {RNN_EDGE_LINK_IDENTIFY, 0, 0, RNN_EDGE_LINK_ALWAYS, identify},
    {RNN_EDGE_LINK_CAPABILITIES, 0, 0, RNN_EDGE_LINK_ALWAYS, tell_capabilities},
    {RNN_EDGE_LINK_PING, 0, ANY_LENGTH, RNN_EDGE_LINK_ALWAYS, ping},
    {RNN_EDGE_LINK_RESET, 0, 0, RNN_EDGE_LINK_OWNING, reset},
    {RNN_EDGE_LINK_GET_STATE, 4, 4, RNN_EDGE_LINK_ALWAYS, get_state},
    {RNN_EDGE_LINK_PUT_STATE, 4, ANY_LENGTH, RNN_EDGE_LINK_OWNING, put_state},
    {RNN_EDGE_LINK_COMMIT_STATE, 0, 0, RNN_EDGE_LINK_OWNING, commit_state},
    {RNN_EDGE_LINK_STEP, 1, ANY_LENGTH, RNN_EDGE_LINK_OWNING, step_frames},
    {RNN_EDGE_LINK_STREAM_BEGIN, 1, 1, RNN_EDGE_LINK_OWNING, begin_stream},
    {RNN_EDGE_LINK_STREAM_END, 0, 0, RNN_EDGE_LINK_WITHIN, end_stream},
    {RNN_EDGE_LINK_COUNTERS, 0, 0, RNN_EDGE_LINK_ALWAYS, tell_counters},
};

enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

static unsigned kinds_of(const rnn_edge_link_server *server) {
    return KIND_COUNT + (server->extension != NULL ? server->extension->kind_count : 0U);
}

static const rnn_edge_link_kind *kind_of(const rnn_edge_link_server *server, unsigned k) {
    return k < KIND_COUNT ? &KINDS[k] : &server->extension->kinds[k - KIND_COUNT];
}

static rnn_edge_link_status tell_capabilities(rnn_edge_link_server *server, request *asked) {
    const unsigned count = kinds_of(server);
    if (count > MOST_KINDS) {
        return RNN_EDGE_LINK_TOO_LARGE;
    }
    asked->to = put16(asked->to, PAYLOAD);
    asked->to = put16(asked->to, CREDITS);
    asked->to = rnn_edge_served_put32(
        asked->to, server->extension != NULL ? server->extension->log_records : 0);
    *asked->to++ = RNN_EDGE_LINK_OPEN;
    *asked->to++ = RNN_EDGE_LINK_STREAM_FRAME;
    for (unsigned k = 0; k < count; ++k) {
        *asked->to++ = kind_of(server, k)->type;
    }
    return RNN_EDGE_LINK_OK;
}

static bool is_in_place(const rnn_edge_link_server *server, rnn_edge_link_place place) {
    switch (place) {
    case RNN_EDGE_LINK_WITHIN:
        return server->is_streaming;
    case RNN_EDGE_LINK_FREELY:
        return !server->is_streaming;
    case RNN_EDGE_LINK_OWNING:
        return !server->is_streaming &&
               (server->extension == NULL || server->extension->may_change());
    case RNN_EDGE_LINK_ALWAYS:
        break;
    }
    return true;
}

static rnn_edge_link_status execute(rnn_edge_link_server *server, uint8_t type, request *asked) {
    for (unsigned k = 0; k < kinds_of(server); ++k) {
        const rnn_edge_link_kind *kind = kind_of(server, k);
        if (kind->type != type) {
            continue;
        }
        if (asked->length < kind->least || asked->length > kind->most) {
            return RNN_EDGE_LINK_BAD_REQUEST;
        }
        if (!is_in_place(server, kind->place)) {
            return RNN_EDGE_LINK_OUT_OF_PLACE;
        }
        return kind->handle(server, asked);
    }
    return RNN_EDGE_LINK_NOT_SUPPORTED;
}

/* Answers that are not remembered: their payload is in the notice already, behind the status. */
static bool notify(rnn_edge_link_server *server, uint8_t type, uint16_t sequence,
                   rnn_edge_link_status status, uint32_t count) {
    server->notice[HEADER_BYTES] = (uint8_t)status;
    const uint32_t length =
        rnn_edge_link_seal(server->notice, type, server->session, sequence, 1 + count);
    return rnn_edge_link_send(server->notice, length, server->write, server->context);
}

static bool repeat(rnn_edge_link_server *server) {
    return rnn_edge_link_send(server->answer, server->answer_length, server->write,
                              server->context);
}

/* Comes again when its answer is lost, and then changes nothing. */
static bool open_session(rnn_edge_link_server *server, const rnn_edge_link_frame *frame) {
    const uint8_t type = RNN_EDGE_LINK_ANSWER | RNN_EDGE_LINK_OPEN;
    uint8_t *const start = server->notice + HEADER_BYTES + 1;
    uint8_t *to = start;
    *to++ = RNN_EDGE_LINK_VERSION;
    if (frame->length != 1 || frame->session == 0) {
        return notify(server, type, frame->sequence, RNN_EDGE_LINK_BAD_REQUEST, 0);
    }
    if (frame->payload[0] != RNN_EDGE_LINK_VERSION) {
        return notify(server, type, frame->sequence, RNN_EDGE_LINK_NOT_SUPPORTED, 1);
    }
    if (frame->session != server->session) {
        server->session = frame->session;
        server->last = 0;
        server->answer_length = 0;
        server->is_streaming = false;
        server->blob_use = RNN_EDGE_LINK_BLOB_NONE;
    }
    to = put16(to, PAYLOAD);
    to = rnn_edge_served_put32(to, rnn_edge_served_steps());
    return notify(server, type, frame->sequence, RNN_EDGE_LINK_OK, (uint32_t)(to - start));
}

static bool take_stream_frame(rnn_edge_link_server *server, const rnn_edge_link_frame *frame) {
    const uint8_t type = RNN_EDGE_LINK_ANSWER | RNN_EDGE_LINK_STREAM_FRAME;
    if (!server->is_streaming || server->stream_frames == UINT32_MAX) {
        return notify(server, type, frame->sequence, RNN_EDGE_LINK_OUT_OF_PLACE, 0);
    }
    if (frame->length != FRAME_BYTES) {
        return notify(server, type, frame->sequence, RNN_EDGE_LINK_BAD_REQUEST, 0);
    }
    const uint32_t behind = (uint16_t)(server->stream_next - frame->sequence);
    if (behind > CREDITS || behind > server->stream_frames) {
        return notify(server, type, server->stream_next, RNN_EDGE_LINK_OUT_OF_ORDER, 0);
    }
    if (behind == 0) {
        step(server, frame->payload, server->is_stream_deployed);
        rnn_edge_served_put_outputs(server->results[server->stream_frames % CREDITS]);
        ++server->stream_next;
        ++server->stream_frames;
    } else {
        ++server->repeated;
    }
    const uint32_t number = server->stream_frames - (behind == 0 ? 1 : behind);
    memcpy(server->notice + HEADER_BYTES + 1, server->results[number % CREDITS], OUTPUT_BYTES);
    return notify(server, type, frame->sequence, RNN_EDGE_LINK_OK, OUTPUT_BYTES);
}

static bool take_request(rnn_edge_link_server *server, const rnn_edge_link_frame *frame) {
    const uint8_t type = (uint8_t)(RNN_EDGE_LINK_ANSWER | frame->type);
    if (frame->sequence == server->last && server->answer_length != 0) {
        ++server->repeated;
        return repeat(server);
    }
    if (frame->sequence != (uint16_t)(server->last + 1)) {
        put16(server->notice + HEADER_BYTES + 1, server->last);
        return notify(server, type, frame->sequence, RNN_EDGE_LINK_OUT_OF_ORDER, 2);
    }
    uint8_t *const start = server->answer + HEADER_BYTES;
    request asked = {frame->payload, frame->length, start + 1};
    start[0] = (uint8_t)execute(server, frame->type, &asked);
    server->last = frame->sequence;
    server->answer_length = rnn_edge_link_seal(server->answer, type, server->session,
                                               frame->sequence, (uint32_t)(asked.to - start));
    return repeat(server);
}

static bool answer_to(rnn_edge_link_server *server, const rnn_edge_link_frame *frame) {
    if ((frame->type & RNN_EDGE_LINK_ANSWER) != 0) {
        /* An answer, as a line that echoes gives back: to answer it would never end. */
        return true;
    }
    if (frame->type == RNN_EDGE_LINK_OPEN) {
        return open_session(server, frame);
    }
    if (server->session == 0 || frame->session != server->session) {
        return notify(server, (uint8_t)(RNN_EDGE_LINK_ANSWER | frame->type), frame->sequence,
                      RNN_EDGE_LINK_NO_SESSION, 0);
    }
    if (frame->type == RNN_EDGE_LINK_STREAM_FRAME) {
        return take_stream_frame(server, frame);
    }
    return take_request(server, frame);
}

void rnn_edge_link_server_begin(rnn_edge_link_server *server, rnn_edge_link_write *write,
                                void *context, const rnn_edge_link_extension *extension) {
    memset(server, 0, sizeof *server);
    server->write = write;
    server->context = context;
    server->extension = extension;
    rnn_edge_link_begin(&server->parser, server->received, sizeof server->received);
}

void rnn_edge_link_server_notice(rnn_edge_link_server *server, uint8_t type, uint16_t number,
                                 const uint8_t *content, uint32_t count) {
    if (server->session != 0 && count <= RNN_EDGE_LINK_NOTICE_BYTES) {
        memcpy(server->notice + HEADER_BYTES + 1, content, count);
        (void)notify(server, type, number, RNN_EDGE_LINK_OK, count);
    }
}

bool rnn_edge_link_server_feed(rnn_edge_link_server *server, const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        rnn_edge_link_frame frame;
        bool is_heard = true;
        switch (rnn_edge_link_feed(&server->parser, bytes[k], &frame)) {
        case RNN_EDGE_LINK_FRAME:
            is_heard = answer_to(server, &frame);
            break;
        case RNN_EDGE_LINK_DAMAGED:
            ++server->damaged;
            is_heard = notify(server, RNN_EDGE_LINK_DAMAGE_NOTICE, 0, RNN_EDGE_LINK_OK, 0);
            break;
        case RNN_EDGE_LINK_NOTHING:
            break;
        }
        if (!is_heard) {
            return false;
        }
    }
    return true;
}
