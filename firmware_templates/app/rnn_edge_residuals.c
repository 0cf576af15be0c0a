/*
 * Rings of the last outputs, one for every forecast, and one of the last frames.
 */
#include "rnn_edge_decision.h"

#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM

#include <string.h>

#include "rnn_edge_residuals.h"
#include "rnn_edge_rule.h"

enum {
    CHANNELS = RNN_EDGE_RESIDUALS_CHANNELS,
    OFFSETS = RNN_EDGE_RESIDUALS_OFFSETS,
    MASK_BYTES = RNN_EDGE_RESIDUALS_MASK_BYTES,
    FORECASTS = RNN_EDGE_APP_FORECAST_ROWS, /* the sum of the offsets above 0 */
    FRAMES = RNN_EDGE_APP_FRAME_ROWS        /* how far back the offsets below 0 go */
};

_Static_assert(CHANNELS >= 1 && CHANNELS * OFFSETS == RNN_EDGE_CONFIG_OUTPUTS,
               "every offset has an output for every channel");
_Static_assert(RNN_EDGE_CONFIG_INPUTS >= CHANNELS, "what is compared is of a frame");
_Static_assert(RNN_EDGE_APP_FRAME_SHIFT <= 14 && RNN_EDGE_APP_FORECAST_SHIFT <= 14,
               "an error has 30 bits");
_Static_assert(RNN_EDGE_APP_FRAME_SHIFT == 0 || RNN_EDGE_APP_FORECAST_SHIFT == 0,
               "an error is at the finer one of both scales");

typedef struct {
    int16_t frames;     /* from a frame to the one that its outputs stand for */
    uint16_t first_row; /* of its forecasts, where it is above 0 */
} offset_rows;

static const offset_rows OWN[OFFSETS] = RNN_EDGE_APP_OFFSETS;

/* A forecast of o frames has o rows; in the one that is next stands what was made o frames ago. */
#if RNN_EDGE_APP_FORECAST_ROWS > 0
static int16_t forecasts[FORECASTS][CHANNELS];
static uint16_t next_forecast[OFFSETS];
#endif
#if RNN_EDGE_APP_FRAME_ROWS > 0
static int16_t frames[FRAMES][CHANNELS];
static uint8_t masks[FRAMES][MASK_BYTES];
static uint32_t next_frame; /* the oldest */
#endif

void rnn_edge_residuals_begin(void) {
#if RNN_EDGE_APP_FORECAST_ROWS > 0
    memset(forecasts, 0, sizeof forecasts);
    memset(next_forecast, 0, sizeof next_forecast);
#endif
#if RNN_EDGE_APP_FRAME_ROWS > 0
    memset(frames, 0, sizeof frames);
    memset(masks, 0, sizeof masks);
    next_frame = 0;
#endif
}

#if RNN_EDGE_APP_FORECAST_ROWS > 0
/* What is next of an offset that is above 0. */
static int16_t *forecast_of(uint32_t offset) {
    return forecasts[OWN[offset].first_row + next_forecast[offset]];
}
#endif

rnn_edge_compared rnn_edge_residuals_of(uint32_t offset, const int16_t *newest, const int16_t *y,
                                        const uint8_t *left_out) {
    rnn_edge_compared pair = {newest, y + offset * CHANNELS, left_out};
#if RNN_EDGE_APP_FORECAST_ROWS > 0
    if (OWN[offset].frames > 0) {
        pair.found = forecast_of(offset);
    }
#endif
#if RNN_EDGE_APP_FRAME_ROWS > 0
    if (OWN[offset].frames < 0) {
        const uint32_t back = (uint32_t)-OWN[offset].frames;
        const uint32_t at = next_frame >= back ? next_frame - back : next_frame + FRAMES - back;
        pair.wanted = frames[at];
        pair.left_out = masks[at];
    }
#endif
    return pair;
}

void rnn_edge_residuals_done(const int16_t *newest, const int16_t *y, const uint8_t *left_out) {
#if RNN_EDGE_APP_FORECAST_ROWS > 0
    for (uint32_t k = 0; k < OFFSETS; ++k) {
        if (OWN[k].frames > 0) {
            memcpy(forecast_of(k), y + k * CHANNELS, sizeof forecasts[0]);
            const uint32_t next = next_forecast[k] + 1U;
            next_forecast[k] = (uint16_t)(next == (uint32_t)OWN[k].frames ? 0U : next);
        }
    }
#endif
#if RNN_EDGE_APP_FRAME_ROWS > 0
    memcpy(frames[next_frame], newest, sizeof frames[0]);
    memcpy(masks[next_frame], left_out, MASK_BYTES);
    next_frame = next_frame + 1 == FRAMES ? 0 : next_frame + 1;
#endif
    (void)newest;
    (void)y;
    (void)left_out;
}

/* The oldest of each first. */
void rnn_edge_residuals_save(uint8_t *to) {
#if RNN_EDGE_APP_FORECAST_ROWS > 0
    for (uint32_t k = 0; k < OFFSETS; ++k) {
        for (int32_t row = 0; row < OWN[k].frames; ++row) {
            const uint32_t at = (next_forecast[k] + (uint32_t)row) % (uint32_t)OWN[k].frames;
            to = rnn_edge_put_values(to, forecasts[OWN[k].first_row + at], CHANNELS);
        }
    }
#endif
#if RNN_EDGE_APP_FRAME_ROWS > 0
    for (uint32_t row = 0; row < FRAMES; ++row) {
        const uint32_t at = (next_frame + row) % FRAMES;
        to = rnn_edge_put_values(to, frames[at], CHANNELS);
        memcpy(to, masks[at], MASK_BYTES);
        to += MASK_BYTES;
    }
#endif
    (void)to;
}

bool rnn_edge_residuals_are_possible(const uint8_t *from) {
#if RNN_EDGE_APP_FRAME_ROWS > 0
    from += 2U * FORECASTS * CHANNELS;
    for (uint32_t row = 0; row < FRAMES; ++row) {
        from += 2U * CHANNELS;
        if (!rnn_edge_is_mask(from)) {
            return false;
        }
        from += MASK_BYTES;
    }
#endif
    (void)from;
    return true;
}

#if RNN_EDGE_APP_FORECAST_ROWS > 0 || RNN_EDGE_APP_FRAME_ROWS > 0
static const uint8_t *get_row(int16_t *row, const uint8_t *from) {
    for (uint32_t k = 0; k < CHANNELS; ++k, from += 2) {
        row[k] = rnn_edge_get_value(from);
    }
    return from;
}
#endif

void rnn_edge_residuals_restore(const uint8_t *from) {
    rnn_edge_residuals_begin();
#if RNN_EDGE_APP_FORECAST_ROWS > 0
    for (uint32_t row = 0; row < FORECASTS; ++row) {
        from = get_row(forecasts[row], from);
    }
#endif
#if RNN_EDGE_APP_FRAME_ROWS > 0
    for (uint32_t row = 0; row < FRAMES; ++row) {
        from = get_row(frames[row], from);
        memcpy(masks[row], from, MASK_BYTES);
        from += MASK_BYTES;
    }
#endif
    (void)from;
}

#endif
