/*
 * Keywords: probabilities of the last frames, added up.
 */
#include "rnn_edge_rule.h"

#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_KEYWORDS

#include <string.h>

#include "rnn_edge_fixedpoint.h"

enum { OUTPUTS = RNN_EDGE_CONFIG_OUTPUTS, FRAMES = RNN_EDGE_APP_WINDOW_FRAMES };

/* How one output is detected. */
typedef struct {
    uint32_t threshold; /* least sum that is heard, at most frames * 32767 to be ever reached */
    uint32_t release;   /* sum below which a detection ends; at most the threshold */
    uint16_t frames;    /* that are added up, 1..FRAMES; 0 of an output that is no keyword */
    uint16_t refractory_frames; /* behind its end, in which it does not begin again */
    uint8_t least_frames;       /* at the threshold, one after the other, before it begins; 1.. */
} keyword;

/* A sum is at most FRAMES * 32767. */
_Static_assert(FRAMES >= 1 && FRAMES <= 65535, "a sum over the frames has 31 bits");
_Static_assert(OUTPUTS <= 254, "a label has 8 bits");

static const keyword KEYWORDS[OUTPUTS] = RNN_EDGE_APP_KEYWORDS;

/* Probabilities of the last frames at 2^-15, 0..32767; those before the first one say nothing. */
static int16_t window[FRAMES][OUTPUTS];
static uint32_t oldest;
static uint32_t sums[OUTPUTS]; /* over the own frames of each */
static uint8_t loud[OUTPUTS];  /* frames at the threshold, up to least_frames */
static uint16_t mute[OUTPUTS]; /* frames in which it does not begin yet */

void rnn_edge_rule_settle(void) {
    memset(window, 0, sizeof window);
    memset(sums, 0, sizeof sums);
    memset(loud, 0, sizeof loud);
    oldest = 0;
}

void rnn_edge_rule_begin(void) {
    rnn_edge_rule_settle();
    memset(mute, 0, sizeof mute);
}

/* The probability that falls out of an output's own frames with the next one. */
static uint16_t leaving(uint32_t output) {
    const uint32_t frames = KEYWORDS[output].frames;
    const uint32_t at = oldest >= frames ? oldest - frames : oldest + FRAMES - frames;
    return (uint16_t)window[at][output];
}

/* Whether a keyword was at its threshold for long enough, and may begin. */
static bool is_heard(uint32_t output) {
    const keyword *const own = &KEYWORDS[output];
    if (sums[output] < own->threshold) {
        loud[output] = 0;
    } else if (loud[output] < own->least_frames) {
        ++loud[output];
    }
    if (mute[output] != 0) {
        --mute[output];
        return false;
    }
    return loud[output] == own->least_frames;
}

rnn_edge_decision rnn_edge_rule_update(const int16_t *x, const int16_t *y,
                                       const uint8_t *left_out) {
    (void)x;
    (void)left_out;
    for (uint32_t k = 0; k < OUTPUTS; ++k) {
        sums[k] -= KEYWORDS[k].frames != 0 ? leaving(k) : 0U;
    }
    int16_t *const row = window[oldest];
    memcpy(row, y, sizeof window[0]);
#if RNN_EDGE_APP_IS_LOGITS
    rnn_edge_softmax(row, OUTPUTS, RNN_EDGE_CONFIG_MODEL.output_exponent);
#endif
    oldest = oldest + 1 == FRAMES ? 0 : oldest + 1;
    rnn_edge_decision found = {RNN_EDGE_DECISION_NOTHING, 0};
    uint32_t most = 0;
    for (uint32_t k = 0; k < OUTPUTS; ++k) {
        if (KEYWORDS[k].frames == 0) {
            continue;
        }
        sums[k] += (uint16_t)row[k];
        const uint32_t mean = sums[k] / KEYWORDS[k].frames;
        most = mean > most ? mean : most;
        if (is_heard(k) && (found.label == RNN_EDGE_DECISION_NOTHING || mean > found.score)) {
            found = (rnn_edge_decision){(uint8_t)(k + 1), mean};
        }
    }
    found.score = found.label != RNN_EDGE_DECISION_NOTHING ? found.score : most;
    return found;
}

rnn_edge_standing rnn_edge_rule_standing(uint8_t label) {
    const uint32_t at = label - 1U;
    return (rnn_edge_standing){sums[at] / KEYWORDS[at].frames, sums[at] < KEYWORDS[at].release};
}

void rnn_edge_rule_ended(uint8_t label) {
    mute[label - 1] = KEYWORDS[label - 1].refractory_frames;
}

bool rnn_edge_rule_is_label(uint8_t label) {
    return label >= 1 && label <= OUTPUTS && KEYWORDS[label - 1].frames != 0;
}

void rnn_edge_rule_save(uint8_t *to) {
    for (uint32_t k = 0; k < OUTPUTS; ++k) {
        *to++ = loud[k];
        to = rnn_edge_put16(to, mute[k]);
    }
    for (uint32_t k = 0; k < FRAMES; ++k) {
        to = rnn_edge_put_values(to, window[(oldest + k) % FRAMES], OUTPUTS);
    }
}

/* Whether what was saved can be what this rule remembers. */
static bool is_possible(const uint8_t *from) {
    for (uint32_t k = 0; k < OUTPUTS; ++k, from += 3) {
        if (from[0] > KEYWORDS[k].least_frames ||
            rnn_edge_get16(from + 1) > KEYWORDS[k].refractory_frames) {
            return false;
        }
    }
    for (size_t k = 0; k < (size_t)FRAMES * OUTPUTS; ++k) {
        if (rnn_edge_get_value(from + 2 * k) < 0) {
            return false;
        }
    }
    return true;
}

bool rnn_edge_rule_restore(const uint8_t *from) {
    if (!is_possible(from)) {
        return false;
    }
    rnn_edge_rule_begin();
    for (uint32_t k = 0; k < OUTPUTS; ++k, from += 3) {
        loud[k] = from[0];
        mute[k] = (uint16_t)rnn_edge_get16(from + 1);
    }
    for (uint32_t k = 0; k < FRAMES; ++k) {
        for (uint32_t j = 0; j < OUTPUTS; ++j, from += 2) {
            window[k][j] = rnn_edge_get_value(from);
            sums[j] += FRAMES - k <= KEYWORDS[j].frames ? (uint16_t)window[k][j] : 0U;
        }
    }
    return true;
}

#endif
