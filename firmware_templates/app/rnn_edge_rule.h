/*
 * What a rule for detections is made of; rnn_edge_decision.c follows what it finds.
 *
 * The rule of the bundle is compiled, the others are empty.
 */
#ifndef RNN_EDGE_RULE_H
#define RNN_EDGE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "rnn_edge_decision.h"

/* How a label that is detected stands. */
typedef struct {
    uint32_t score; /* its own */
    bool is_released;
} rnn_edge_standing;

void rnn_edge_rule_begin(void);

/* left_out: as of rnn_edge_decision_sensors. */
rnn_edge_decision rnn_edge_rule_update(const int16_t *x, const int16_t *y, const uint8_t *left_out);

/* label: one that is detected. */
rnn_edge_standing rnn_edge_rule_standing(uint8_t label);
void rnn_edge_rule_ended(uint8_t label);

/* Forgets the frames before, but not which labels have to rest. */
void rnn_edge_rule_settle(void);

/* Whether a label can be one that is detected. */
bool rnn_edge_rule_is_label(uint8_t label);

/* Write or read RNN_EDGE_RULE_BYTES; false, and nothing has changed, where a number is out of its
 * range. */
void rnn_edge_rule_save(uint8_t *to);
bool rnn_edge_rule_restore(const uint8_t *from);

#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
/* Whether a mask that was saved can be one: no bit stands for a channel that is none. */
static inline bool rnn_edge_is_mask(const uint8_t *bits) {
    const unsigned used = RNN_EDGE_APP_CHANNEL_COUNT % 8U;
    return used == 0 || bits[RNN_EDGE_DECISION_MASK_BYTES - 1U] >> used == 0;
}
#endif

/* Values of 16 bits, the low byte first. */
static inline uint8_t *rnn_edge_put16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static inline uint32_t rnn_edge_get16(const uint8_t *from) {
    return from[0] + 256U * from[1];
}

static inline uint8_t *rnn_edge_put_values(uint8_t *to, const int16_t *values, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        to = rnn_edge_put16(to, (uint16_t)values[k]);
    }
    return to;
}

static inline int16_t rnn_edge_get_value(const uint8_t *from) {
    const int32_t high = (int32_t)from[1];
    /* The upper byte carries the sign. */
    return (int16_t)((high < 128 ? high : high - 256) * 256 + (int32_t)from[0]);
}

#endif
