/*
 * Alarms: what the model was wrong by, over what it is usually wrong by, smoothed.
 */
#include "rnn_edge_rule.h"

#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM

#include <string.h>

#include "rnn_edge_bytes.h"
#include "rnn_edge_fixedpoint.h"
#include "rnn_edge_residuals.h"

enum {
    RESIDUALS = RNN_EDGE_CONFIG_OUTPUTS,
    CHANNELS = RNN_EDGE_RESIDUALS_CHANNELS,
    OFFSETS = RNN_EDGE_RESIDUALS_OFFSETS,
    MASK_BYTES = RNN_EDGE_RESIDUALS_MASK_BYTES,
    /* Where a frame holds several samples, the newest are compared; they stand last. */
    FIRST = RNN_EDGE_CONFIG_INPUTS - CHANNELS,
    KEEP_BITS = 31,
    MOST_FACTOR_BITS = 24,
    MOST_SIZE_BITS = 19
};

typedef struct {
    uint32_t most;   /* sizes from here on count as the limit; at most 2^30 */
    uint32_t factor; /* below 2^24, or with a shift of 0 such that the product is a share */
    uint8_t coarser; /* bits that a size loses before it is squared: most fits 19 bits then */
    uint8_t shift;   /* size^2 * factor / 2^shift is the share in the score */
} channel;

/* Each residual over its own variance. */
static const channel ALONE[RESIDUALS] = RNN_EDGE_APP_CHANNELS;

_Static_assert(RNN_EDGE_APP_SHARE_LIMIT <= 0x7FFFFFFFU / RESIDUALS, "a score has 31 bits");
_Static_assert(2 * MOST_SIZE_BITS + MOST_FACTOR_BITS < 64, "a product has 63 bits");
_Static_assert(RNN_EDGE_APP_RELEASE <= RNN_EDGE_APP_THRESHOLD &&
                   RNN_EDGE_APP_THRESHOLD <= 0x7FFFFFFFU,
               "a release is a part of the threshold");
_Static_assert(RNN_EDGE_APP_LEAST_FRAMES >= 1 && RNN_EDGE_APP_LEAST_FRAMES <= 65535 &&
                   RNN_EDGE_APP_RELEASE_FRAMES >= 1 && RNN_EDGE_APP_RELEASE_FRAMES <= 65535,
               "frames on end are counted with 16 bits");

static uint32_t seen; /* frames, as far as it matters */
static uint32_t score;
static uint16_t loud;  /* frames above the threshold on end, up to LEAST_FRAMES */
static uint16_t quiet; /* frames at the release on end, up to RELEASE_FRAMES */

void rnn_edge_rule_begin(void) {
    rnn_edge_residuals_begin();
    seen = 0;
    score = 0;
    loud = 0;
    quiet = 0;
}

void rnn_edge_rule_settle(void) {
    rnn_edge_rule_begin();
}

/* What a size adds to the score: at most RNN_EDGE_APP_SHARE_LIMIT. */
static uint32_t share(const channel *own, int32_t error) {
    const uint32_t size = error < 0 ? (uint32_t)-error : (uint32_t)error;
    if (size >= own->most) {
        return RNN_EDGE_APP_SHARE_LIMIT;
    }
    const uint32_t coarse = size >> own->coarser;
    const uint64_t found = ((uint64_t)coarse * coarse * own->factor) >> own->shift;
    return found < RNN_EDGE_APP_SHARE_LIMIT ? (uint32_t)found : RNN_EDGE_APP_SHARE_LIMIT;
}

static bool is_left_out(const uint8_t *bits, uint32_t number) {
    return ((uint32_t)bits[number / 8U] >> number % 8U & 1U) != 0;
}

static uint32_t sum_alone(const int16_t *newest, const int16_t *y, const uint8_t *left_out) {
    uint32_t sum = 0;
    for (uint32_t k = 0; k < OFFSETS; ++k) {
        const rnn_edge_compared pair = rnn_edge_residuals_of(k, newest, y, left_out);
        const channel *const own = ALONE + k * CHANNELS;
        for (uint32_t d = 0; d < CHANNELS; ++d) {
            if (!is_left_out(pair.left_out, d)) {
                sum += share(&own[d], rnn_edge_residuals_error(&pair, d));
            }
        }
    }
    return sum;
}

#if RNN_EDGE_APP_IS_COVARIANCE

enum { WEIGHTS = RESIDUALS * (RESIDUALS + 1) / 2 };

/* Bits that each residual loses. */
static const uint8_t SHIFTS[RESIDUALS] = RNN_EDGE_APP_RESIDUAL_SHIFTS;
/* A lower triangle, row behind row. */
static const int16_t TRIANGLE[WEIGHTS] = RNN_EDGE_APP_WHITENING;
static const channel ROWS[RESIDUALS] = RNN_EDGE_APP_ROWS;

_Static_assert(RESIDUALS <= 64, "a triangle has 2,080 weights at most");
_Static_assert((int64_t)RNN_EDGE_APP_MOST_ROW_WEIGHT * 32768 < 0x80000000LL,
               "every partial sum of a row has 31 bits and a sign");
_Static_assert(RNN_EDGE_APP_MOST_RESIDUAL_SHIFT <= 15, "an error of 30 bits is rounded in 32");

/* False, and nothing is known: something does not count. */
static bool take_residuals(int16_t *to, const int16_t *newest, const int16_t *y,
                           const uint8_t *left_out) {
    for (uint32_t k = 0; k < OFFSETS; ++k) {
        const rnn_edge_compared pair = rnn_edge_residuals_of(k, newest, y, left_out);
        for (uint32_t j = 0; j < MASK_BYTES; ++j) {
            if (pair.left_out[j] != 0) {
                return false;
            }
        }
        const uint8_t *const shifts = SHIFTS + k * CHANNELS;
        for (uint32_t d = 0; d < CHANNELS; ++d) {
            const int32_t half = ((int32_t)1 << shifts[d]) >> 1;
            const int32_t error = rnn_edge_residuals_error(&pair, d);
            *to++ = rnn_edge_saturate32(rnn_edge_floor_shift32(error + half, shifts[d]));
        }
    }
    return true;
}

/* count: at least 1. */
static int32_t row_of(const int16_t *weights, const int16_t *residuals, uint32_t count) {
    const int16_t *const end = weights + count;
    int32_t row = 0;
    do {
        row += *weights++ * *residuals++;
    } while (weights != end);
    return row;
}

static uint32_t sum_of(const int16_t *newest, const int16_t *y, const uint8_t *left_out) {
    int16_t residuals[RESIDUALS];
    if (!take_residuals(residuals, newest, y, left_out)) {
        return sum_alone(newest, y, left_out);
    }
    uint32_t sum = 0;
    const int16_t *weights = TRIANGLE;
    for (uint32_t k = 0; k < RESIDUALS; ++k) {
        sum += share(&ROWS[k], row_of(weights, residuals, k + 1U));
        weights += k + 1U;
    }
    return sum;
}

#else

static uint32_t sum_of(const int16_t *newest, const int16_t *y, const uint8_t *left_out) {
    return sum_alone(newest, y, left_out);
}

#endif

/* value + 1, up to a limit, where it goes on; else 0. */
static uint16_t counted(uint16_t value, bool goes_on, uint32_t most) {
    if (!goes_on) {
        return 0;
    }
    return (uint16_t)(value < most ? value + 1U : most);
}

rnn_edge_decision rnn_edge_rule_update(const int16_t *x, const int16_t *y,
                                       const uint8_t *left_out) {
    static const uint8_t none[MASK_BYTES];
    const uint8_t *const mask = left_out != NULL ? left_out : none;
    /* The first frames do not count: there is nothing to compare, then the state settles. */
    const bool counts = seen > RNN_EDGE_APP_WARMUP_FRAMES;
    const uint32_t raw = counts ? sum_of(x + FIRST, y, mask) : 0;
    seen += counts ? 0 : 1;
    rnn_edge_residuals_done(x + FIRST, y, mask);
    /* What is added is no more than the difference, so that the score stays between both. */
    const int64_t product = ((int64_t)raw - (int64_t)score) * RNN_EDGE_APP_TAKE;
    const int64_t half = (int64_t)1 << (KEEP_BITS - 1);
    score = (uint32_t)((int64_t)score + rnn_edge_floor_shift64(product + half, KEEP_BITS));
    loud = counted(loud, score > RNN_EDGE_APP_THRESHOLD, RNN_EDGE_APP_LEAST_FRAMES);
    quiet = counted(quiet, score <= RNN_EDGE_APP_RELEASE, RNN_EDGE_APP_RELEASE_FRAMES);
    return (rnn_edge_decision){loud == RNN_EDGE_APP_LEAST_FRAMES ? RNN_EDGE_DECISION_ALARM
                                                                 : RNN_EDGE_DECISION_NOTHING,
                               score};
}

rnn_edge_standing rnn_edge_rule_standing(uint8_t label) {
    (void)label;
    return (rnn_edge_standing){score, quiet == RNN_EDGE_APP_RELEASE_FRAMES};
}

void rnn_edge_rule_ended(uint8_t label) {
    (void)label;
}

bool rnn_edge_rule_is_label(uint8_t label) {
    return label == RNN_EDGE_DECISION_ALARM;
}

void rnn_edge_rule_save(uint8_t *to) {
    rnn_edge_put32(to, seen);
    rnn_edge_put32(to + 4, score);
    (void)rnn_edge_put16(rnn_edge_put16(to + 8, loud), quiet);
    rnn_edge_residuals_save(to + 12);
}

bool rnn_edge_rule_restore(const uint8_t *from) {
    const uint32_t known = rnn_edge_get32(from);
    const uint32_t last = rnn_edge_get32(from + 4);
    const uint32_t above = rnn_edge_get16(from + 8);
    const uint32_t below = rnn_edge_get16(from + 10);
    if (known > RNN_EDGE_APP_WARMUP_FRAMES + 1U || last > 0x7FFFFFFFU ||
        above > RNN_EDGE_APP_LEAST_FRAMES || below > RNN_EDGE_APP_RELEASE_FRAMES ||
        !rnn_edge_residuals_are_possible(from + 12)) {
        return false;
    }
    rnn_edge_residuals_restore(from + 12);
    seen = known;
    score = last;
    loud = (uint16_t)above;
    quiet = (uint16_t)below;
    return true;
}

#endif
