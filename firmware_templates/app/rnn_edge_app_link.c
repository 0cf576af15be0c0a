/*
 * What a host may ask of an application.
 */
#include "rnn_edge_app_link.h"

#include <string.h>

#include "rnn_edge_app.h"
#include "rnn_edge_board.h"
#include "rnn_edge_bytes.h"
#include "rnn_edge_decision.h"
#include "rnn_edge_frame_ring.h"
#include "rnn_edge_keeper.h"
#include "rnn_edge_link_server.h"
#include "rnn_edge_step_log.h"

#ifdef RNN_EDGE_APP_SAMPLES
#include "rnn_edge_front.h"
#include "rnn_edge_sample_ring.h"
#endif

#ifdef RNN_EDGE_APP_SAMPLES
enum {
    ABOUT_SAMPLES_BYTES = 5 + 2 * 4,
    VALUE_BYTES = sizeof(rnn_edge_sample),
    SAMPLE_BYTES = VALUE_BYTES * RNN_EDGE_APP_SAMPLE_VALUES,
    /* Decoded at a time. */
    BLOCK_SAMPLES = 1 + 31 / RNN_EDGE_APP_SAMPLE_VALUES
};
#else
enum { ABOUT_SAMPLES_BYTES = 0 };
#endif

enum {
    FRAME_BYTES = RNN_EDGE_SERVED_FRAME_BYTES,
    /* A text has its length before it, where it has an end here. */
    ABOUT_BYTES = RNN_EDGE_DIGEST_BYTES + 10 + 5 * 4 + sizeof RNN_EDGE_APP_VERSION +
                  sizeof RNN_EDGE_APP_DEVICE + ABOUT_SAMPLES_BYTES
};

_Static_assert(sizeof RNN_EDGE_APP_VERSION <= 256, "a version has a length of 8 bits");
_Static_assert(sizeof RNN_EDGE_APP_DEVICE <= 256, "a device's name has a length of 8 bits");
_Static_assert(ABOUT_BYTES <= RNN_EDGE_LINK_ROOM, "a payload says what the device is");
_Static_assert(RNN_EDGE_LOG_RECORD_BYTES + 8 <= RNN_EDGE_LINK_ROOM, "a payload holds a record");
_Static_assert((int)RNN_EDGE_EVENT_BYTES <= (int)RNN_EDGE_LINK_NOTICE_BYTES,
               "a notice holds an event");

typedef rnn_edge_link_status status;
typedef rnn_edge_link_request request;

static rnn_edge_link_server server;

static uint8_t *put16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static uint8_t *put32(uint8_t *to, uint32_t value) {
    rnn_edge_put32(to, value);
    return to + 4;
}

/* length: less than 256. */
static uint8_t *put_text(uint8_t *to, const char *text, size_t length) {
    *to++ = (uint8_t)length;
    memcpy(to, text, length);
    return to + length;
}

static status tell_about(rnn_edge_link_server *own, request *asked) {
    (void)own;
    uint8_t *to = asked->to;
    memcpy(to, RNN_EDGE_CONFIG_MODEL.digest, RNN_EDGE_DIGEST_BYTES);
    to += RNN_EDGE_DIGEST_BYTES;
    *to++ = (uint8_t)rnn_edge_board_started();
    *to++ = (uint8_t)rnn_edge_keeper_origin();
    *to++ = rnn_edge_keeper_found();
    *to++ = (uint8_t)rnn_edge_app_mode_now();
    *to++ = RNN_EDGE_APP_RULE;
    *to++ = (uint8_t)(RNN_EDGE_APP_SCORE_EXPONENT);
    to = put16(to, RNN_EDGE_APP_RING_FRAMES);
    to = put16(to, RNN_EDGE_APP_EVENT_RECORDS);
    to = put32(to, RNN_EDGE_APP_RETAIN_EVERY);
    to = put32(to, RNN_EDGE_APP_FLASH_EVERY);
    to = put32(to, rnn_edge_app_watchdog_ms());
    to = put32(to, RNN_EDGE_APP_THRESHOLD_SCORE);
    to = put32(to, RNN_EDGE_APP_RULE_KEY);
    to = put_text(to, RNN_EDGE_APP_VERSION, sizeof RNN_EDGE_APP_VERSION - 1);
    to = put_text(to, RNN_EDGE_APP_DEVICE, sizeof RNN_EDGE_APP_DEVICE - 1);
#ifdef RNN_EDGE_APP_SAMPLES
    *to++ = RNN_EDGE_APP_SAMPLES;
    to = put16(to, RNN_EDGE_APP_SAMPLE_VALUES);
    to = put16(to, RNN_EDGE_APP_RING_SAMPLES);
    to = put32(to, RNN_EDGE_APP_SAMPLE_RATE_MHZ);
    to = put32(to, RNN_EDGE_APP_FRONT_KEY);
#endif
    asked->to = to;
    return RNN_EDGE_LINK_OK;
}

static status set_mode(rnn_edge_link_server *own, request *asked) {
    (void)own;
    if (asked->length == 1) {
        if (asked->payload[0] > RNN_EDGE_MODE_FED) {
            return RNN_EDGE_LINK_BAD_REQUEST;
        }
        rnn_edge_app_set_mode((rnn_edge_app_mode)asked->payload[0]);
    }
    *asked->to++ = (uint8_t)rnn_edge_app_mode_now();
    return RNN_EDGE_LINK_OK;
}

static status feed(rnn_edge_link_server *own, request *asked) {
    (void)own;
    int16_t frame[RNN_EDGE_CONFIG_INPUTS];
    const uint32_t count = asked->length / FRAME_BYTES;
    if (count * FRAME_BYTES != asked->length) {
        return RNN_EDGE_LINK_BAD_REQUEST;
    }
    if (rnn_edge_app_mode_now() != RNN_EDGE_MODE_FED) {
        return RNN_EDGE_LINK_OUT_OF_PLACE;
    }
    uint32_t taken = 0;
    while (taken < count) {
        rnn_edge_served_get_frame(asked->payload + taken * FRAME_BYTES, frame);
        if (!rnn_edge_app_feed(frame)) {
            break;
        }
        ++taken;
    }
    asked->to = put16(asked->to, taken);
    asked->to = put16(asked->to, RNN_EDGE_APP_RING_FRAMES - rnn_edge_frame_ring_filled());
    return RNN_EDGE_LINK_OK;
}

#ifdef RNN_EDGE_APP_SAMPLES

/* A value of a sample, in little-endian order. */
static rnn_edge_sample get_value(const uint8_t *from) {
    uint32_t bits = 0;
    for (unsigned k = 0; k < VALUE_BYTES; ++k) {
        bits |= (uint32_t)from[k] << (8 * k);
    }
    /* The upper byte carries the sign: a negative value is one less than what its other bits lack.
     */
    const uint32_t most = UINT32_C(0x7FFFFFFF) >> (32 - 8 * VALUE_BYTES);
    return (rnn_edge_sample)(bits <= most ? (int32_t)bits
                                          : (int32_t)(bits & most) - (int32_t)most - 1);
}

static status take_samples(rnn_edge_link_server *own, request *asked) {
    (void)own;
    rnn_edge_sample block[BLOCK_SAMPLES * RNN_EDGE_APP_SAMPLE_VALUES];
    const uint32_t count = asked->length / SAMPLE_BYTES;
    if (count * SAMPLE_BYTES != asked->length) {
        return RNN_EDGE_LINK_BAD_REQUEST;
    }
    if (rnn_edge_app_mode_now() != RNN_EDGE_MODE_FED) {
        return RNN_EDGE_LINK_OUT_OF_PLACE;
    }
    const uint8_t *from = asked->payload;
    uint32_t taken = 0;
    bool has_room = true;
    while (has_room && taken < count) {
        const uint32_t left = count - taken;
        const uint32_t now = left < (uint32_t)BLOCK_SAMPLES ? left : (uint32_t)BLOCK_SAMPLES;
        for (uint32_t k = 0; k < now * RNN_EDGE_APP_SAMPLE_VALUES; ++k, from += VALUE_BYTES) {
            block[k] = get_value(from);
        }
        const uint32_t fed = (uint32_t)rnn_edge_app_feed_samples(block, now);
        has_room = fed == now;
        taken += fed;
    }
    asked->to = put16(asked->to, taken);
    asked->to = put16(asked->to, RNN_EDGE_APP_RING_SAMPLES - rnn_edge_sample_ring_filled());
    return RNN_EDGE_LINK_OK;
}

/* What a status has besides. */
static uint8_t *put_samples(uint8_t *to, const rnn_edge_app_counts *app) {
    const uint32_t words[] = {app->samples,
                              app->lost_samples,
                              app->gaps,
                              app->most_samples,
                              rnn_edge_sample_ring_filled(),
                              app->most_front_ticks,
                              (uint32_t)app->front_ticks,
                              (uint32_t)(app->front_ticks >> 32),
                              (uint32_t)app->decision_ticks,
                              (uint32_t)(app->decision_ticks >> 32)};
    for (unsigned k = 0; k < sizeof words / sizeof words[0]; ++k) {
        to = put32(to, words[k]);
    }
    return to;
}

#endif

static status tell_status(rnn_edge_link_server *own, request *asked) {
    (void)own;
    const rnn_edge_app_counts app = rnn_edge_app_counted();
    const rnn_edge_keeper_counts *kept = rnn_edge_keeper_counted();
    const uint32_t words[] = {app.frames,
                              app.dropped,
                              app.detections,
                              rnn_edge_log_events(),
                              app.most_filled,
                              rnn_edge_frame_ring_filled(),
                              kept->ram,
                              kept->flash,
                              kept->failed,
                              kept->watchdog_restarts,
                              rnn_edge_served_most_ticks(),
                              rnn_edge_board_lost()};
    for (unsigned k = 0; k < sizeof words / sizeof words[0]; ++k) {
        asked->to = put32(asked->to, words[k]);
    }
    *asked->to++ = (uint8_t)rnn_edge_app_mode_now();
    *asked->to++ = rnn_edge_decision_active();
#ifdef RNN_EDGE_APP_SAMPLES
    asked->to = put_samples(asked->to, &app);
#endif
    return RNN_EDGE_LINK_OK;
}

/* To flash, or to what there is. */
static status save(rnn_edge_link_server *own, request *asked) {
    (void)own;
    const uint8_t found = rnn_edge_keeper_found();
    if ((found & (RNN_EDGE_KEPT_HAS_RAM | RNN_EDGE_KEPT_HAS_FLASH)) == 0) {
        return RNN_EDGE_LINK_NOT_SUPPORTED;
    }
    const rnn_edge_origin where =
        (found & RNN_EDGE_KEPT_HAS_FLASH) != 0 ? RNN_EDGE_FROM_FLASH : RNN_EDGE_FROM_RAM;
    *asked->to++ = (uint8_t)where;
    return rnn_edge_keeper_save(where) ? RNN_EDGE_LINK_OK : RNN_EDGE_LINK_REFUSED;
}

static status restart(rnn_edge_link_server *own, request *asked) {
    (void)own;
    (void)asked;
    rnn_edge_app_restart();
    return RNN_EDGE_LINK_OK;
}

#if RNN_EDGE_APP_LOG_RECORDS > 0
static status give_log(rnn_edge_link_server *own, request *asked) {
    (void)own;
    asked->to = rnn_edge_log_put(asked->to, RNN_EDGE_LINK_ROOM, rnn_edge_get32(asked->payload));
    return RNN_EDGE_LINK_OK;
}
#endif

static status give_events(rnn_edge_link_server *own, request *asked) {
    (void)own;
    asked->to =
        rnn_edge_log_put_events(asked->to, RNN_EDGE_LINK_ROOM, rnn_edge_get32(asked->payload));
    return RNN_EDGE_LINK_OK;
}

static const rnn_edge_link_kind KINDS[] = {
#if RNN_EDGE_APP_LOG_RECORDS > 0
    {RNN_EDGE_LINK_LOG, 4, 4, RNN_EDGE_LINK_ALWAYS, give_log},
#endif
    {RNN_EDGE_LINK_ABOUT, 0, 0, RNN_EDGE_LINK_ALWAYS, tell_about},
    {RNN_EDGE_LINK_MODE, 0, 1, RNN_EDGE_LINK_FREELY, set_mode},
    {RNN_EDGE_LINK_FEED, 0, RNN_EDGE_LINK_ANY_LENGTH, RNN_EDGE_LINK_ALWAYS, feed},
    {RNN_EDGE_LINK_STATUS, 0, 0, RNN_EDGE_LINK_ALWAYS, tell_status},
    {RNN_EDGE_LINK_SAVE, 0, 0, RNN_EDGE_LINK_ALWAYS, save},
    {RNN_EDGE_LINK_RESTART, 0, 0, RNN_EDGE_LINK_ALWAYS, restart},
    {RNN_EDGE_LINK_EVENTS, 4, 4, RNN_EDGE_LINK_ALWAYS, give_events},
#ifdef RNN_EDGE_APP_SAMPLES
    {RNN_EDGE_LINK_SAMPLES, 0, RNN_EDGE_LINK_ANY_LENGTH, RNN_EDGE_LINK_ALWAYS, take_samples},
#endif
};

static bool may_change(void) {
    return rnn_edge_app_mode_now() == RNN_EDGE_MODE_HOST;
}

static void stepped(bool is_deployed, bool was_reset) {
    rnn_edge_log_step(is_deployed, was_reset, NULL);
}

static void state_set(bool is_zero) {
    rnn_edge_log_state_is(is_zero ? RNN_EDGE_LOG_RESET : RNN_EDGE_LOG_STATE);
#ifdef RNN_EDGE_APP_SAMPLES
    if (is_zero) {
        rnn_edge_front_begin();
    }
#endif
}

static bool send(void *context, const uint8_t *bytes, size_t count) {
    (void)context;
    return rnn_edge_board_send(bytes, count);
}

void rnn_edge_app_link_begin(void) {
    static const rnn_edge_link_extension extension = {
        KINDS,    sizeof KINDS / sizeof KINDS[0], RNN_EDGE_APP_LOG_RECORDS, may_change, stepped,
        state_set};
    rnn_edge_link_server_begin(&server, send, NULL, &extension);
}

void rnn_edge_app_link_take(const uint8_t *bytes, size_t count) {
    /* Where nobody takes an answer nobody is told so: the host asks again, or has gone. */
    (void)rnn_edge_link_server_feed(&server, bytes, count);
}

void rnn_edge_app_link_notify(uint32_t number) {
    uint8_t event[RNN_EDGE_EVENT_BYTES];
    rnn_edge_log_put_event(event, number);
    rnn_edge_link_server_notice(&server, RNN_EDGE_LINK_EVENT_NOTICE, (uint16_t)number, event,
                                sizeof event);
}
