/*
 * When what the rule of the bundle finds begins and ends.
 */
#include "rnn_edge_decision.h"

#include <string.h>

#if RNN_EDGE_APP_RULE != RNN_EDGE_RULE_NONE

#include "rnn_edge_rule.h"

/* What is detected at present, or 0. */
static uint8_t active;

#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
enum { MASK_BYTES = RNN_EDGE_DECISION_MASK_BYTES };

_Static_assert(RNN_EDGE_APP_CHANNEL_COUNT + RNN_EDGE_DECISION_FIRST_FAULT <= 255,
               "a label has 8 bits");

/* The channels whose sensors are. */
static uint8_t faulty[MASK_BYTES];

static void follow_faults(const uint8_t *now, rnn_edge_decision_change *change) {
    for (uint32_t k = 0; k < MASK_BYTES; ++k) {
        const uint32_t bits = now != NULL ? now[k] : 0U;
        change->faults_begun[k] = (uint8_t)(bits & ~(uint32_t)faulty[k]);
        change->faults_ended[k] = (uint8_t)(faulty[k] & ~bits);
        faulty[k] = (uint8_t)bits;
    }
}
#endif

/* Ends what is detected, where it does, and begins what is detected now. */
static void follow(uint8_t label, rnn_edge_decision_change *change) {
    if (active != RNN_EDGE_DECISION_NOTHING && label != active) {
        const rnn_edge_standing own = rnn_edge_rule_standing(active);
        if (label != RNN_EDGE_DECISION_NOTHING || own.is_released) {
            change->ended = active;
            change->ended_score = own.score;
            rnn_edge_rule_ended(active);
            active = RNN_EDGE_DECISION_NOTHING;
        }
    }
    if (active == RNN_EDGE_DECISION_NOTHING && label != RNN_EDGE_DECISION_NOTHING) {
        change->begun = label;
        active = label;
    }
}

void rnn_edge_decision_begin(void) {
    rnn_edge_rule_begin();
    active = RNN_EDGE_DECISION_NOTHING;
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
    memset(faulty, 0, sizeof faulty);
#endif
}

rnn_edge_decision rnn_edge_decision_update(const int16_t *x, const int16_t *y,
                                           const rnn_edge_decision_sensors *sensors,
                                           rnn_edge_decision_change *change) {
    const rnn_edge_decision found =
        rnn_edge_rule_update(x, y, sensors != NULL ? sensors->left_out : NULL);
    memset(change, 0, sizeof *change);
    follow(found.label, change);
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
    follow_faults(sensors != NULL ? sensors->faulty : NULL, change);
#endif
    return found;
}

void rnn_edge_decision_settle(void) {
    rnn_edge_rule_settle();
}

uint8_t rnn_edge_decision_active(void) {
    return active;
}

bool rnn_edge_decision_is_faulty(void) {
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
    for (uint32_t k = 0; k < MASK_BYTES; ++k) {
        if (faulty[k] != 0) {
            return true;
        }
    }
#endif
    return false;
}

void rnn_edge_decision_save(uint8_t *to) {
    *to++ = active;
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
    memcpy(to, faulty, sizeof faulty);
    to += sizeof faulty;
#endif
    rnn_edge_rule_save(to);
}

bool rnn_edge_decision_restore(const uint8_t *from) {
    const uint8_t label = *from++;
    if (label != RNN_EDGE_DECISION_NOTHING && !rnn_edge_rule_is_label(label)) {
        return false;
    }
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
    const uint8_t *const bits = from;
    from += MASK_BYTES;
    if (!rnn_edge_is_mask(bits) || !rnn_edge_rule_restore(from)) {
        return false;
    }
    memcpy(faulty, bits, sizeof faulty);
#else
    if (!rnn_edge_rule_restore(from)) {
        return false;
    }
#endif
    active = label;
    return true;
}

#else

void rnn_edge_decision_begin(void) {
}

rnn_edge_decision rnn_edge_decision_update(const int16_t *x, const int16_t *y,
                                           const rnn_edge_decision_sensors *sensors,
                                           rnn_edge_decision_change *change) {
    (void)x;
    (void)y;
    (void)sensors;
    memset(change, 0, sizeof *change);
    return (rnn_edge_decision){RNN_EDGE_DECISION_NOTHING, 0};
}

void rnn_edge_decision_settle(void) {
}

uint8_t rnn_edge_decision_active(void) {
    return RNN_EDGE_DECISION_NOTHING;
}

bool rnn_edge_decision_is_faulty(void) {
    return false;
}

void rnn_edge_decision_save(uint8_t *to) {
    (void)to;
}

bool rnn_edge_decision_restore(const uint8_t *from) {
    (void)from;
    return true;
}

#endif
