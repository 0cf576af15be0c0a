/*
 * What the export has, under the names that it has for any model.
 */
#include "rnn_edge_front.h"

#include <string.h>

#include "rnn_edge_app.h"
#include "rnn_edge_bytes.h"
#include "rnn_edge_config.h"

enum { KEY_BYTES = 4 };

static RNN_EDGE_APP_FRONT front;

#if RNN_EDGE_APP_SAMPLES == RNN_EDGE_SAMPLES_ROWS && RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM

enum {
    INPUTS = RNN_EDGE_CONFIG_INPUTS,
    CHANNELS = RNN_EDGE_APP_CHANNEL_COUNT,
    /* What is compared stands last in a frame. */
    FIRST = INPUTS - CHANNELS
};

/* Sets the bits of the channels that are compared, from those of all values of a frame. */
static void choose(const uint8_t *all, uint8_t *chosen) {
    memset(chosen, 0, RNN_EDGE_DECISION_MASK_BYTES);
    for (uint32_t d = 0; d < CHANNELS; ++d) {
        const uint32_t place = FIRST + d;
        const uint32_t bit = (uint32_t)all[place / 8U] >> (place % 8U) & 1U;
        chosen[d / 8U] = (uint8_t)(chosen[d / 8U] | bit << (d % 8U));
    }
}

const rnn_edge_decision_sensors *rnn_edge_front_sensors(void) {
    static uint8_t left_out[RNN_EDGE_DECISION_MASK_BYTES];
    static uint8_t faulty[RNN_EDGE_DECISION_MASK_BYTES];
    static const rnn_edge_decision_sensors sensors = {left_out, faulty};
    uint8_t of_values[2][(INPUTS + 7) / 8];
    RNN_EDGE_APP_FRONT_MASKS(&front, of_values[0], of_values[1]);
    choose(of_values[0], left_out);
    choose(of_values[1], faulty);
    return &sensors;
}

#else

const rnn_edge_decision_sensors *rnn_edge_front_sensors(void) {
    return NULL;
}

#endif

void rnn_edge_front_begin(void) {
    RNN_EDGE_APP_FRONT_INIT(&front);
}

void rnn_edge_front_gap(void) {
    RNN_EDGE_APP_FRONT_GAP(&front);
}

bool rnn_edge_front_take(const rnn_edge_sample *samples, size_t count, int16_t *frame,
                         size_t *taken) {
    return RNN_EDGE_APP_FRONT_FEED(&front, samples, count, frame, taken);
}

void rnn_edge_front_save(uint8_t *to) {
    rnn_edge_put32(to, RNN_EDGE_APP_FRONT_KEY);
    RNN_EDGE_APP_FRONT_SAVE(&front, to + KEY_BYTES);
}

bool rnn_edge_front_restore(const uint8_t *from) {
    RNN_EDGE_APP_FRONT_INIT(&front);
    return rnn_edge_get32(from) == RNN_EDGE_APP_FRONT_KEY &&
           RNN_EDGE_APP_FRONT_RESTORE(&front, from + KEY_BYTES);
}
