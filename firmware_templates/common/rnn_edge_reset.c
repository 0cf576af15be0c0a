/*
 * What each reset policy does before a step, and a stream as bytes.
 */
#include "rnn_edge_reset.h"

#include "rnn_edge_bytes.h"
#include "rnn_edge_fixedpoint.h"

enum { WORDS = 5, WORD_BYTES = 4, CRC_BYTES = 4 };

_Static_assert(RNN_EDGE_STREAM_BLOB_BYTES(0) ==
                   RNN_EDGE_BLOB_BYTES(0) + WORDS * WORD_BYTES + CRC_BYTES,
               "the layout has gaps");

bool rnn_edge_reset_every(const rnn_edge_reset_policy *policy, const rnn_edge_model *model,
                          rnn_edge_reset_counter *counter, int16_t *state, const int16_t *x) {
    (void)x;
    if (counter->frames < policy->frames) {
        ++counter->frames;
        return false;
    }
    counter->frames = 1;
    rnn_edge_model_reset(model, state);
    return true;
}

static bool after_frame(const rnn_edge_reset_policy *policy, const rnn_edge_model *model,
                        rnn_edge_reset_counter *counter, int16_t *state, bool is_quiet) {
    if (!is_quiet) {
        counter->frames = 0;
        return false;
    }
    /* It stays at the limit for as long as it is quiet: a stretch resets once. */
    if (counter->frames >= policy->frames) {
        return false;
    }
    if (++counter->frames < policy->frames) {
        return false;
    }
    rnn_edge_model_reset(model, state);
    return true;
}

bool rnn_edge_reset_quiet_mean(const rnn_edge_reset_policy *policy, const rnn_edge_model *model,
                               rnn_edge_reset_counter *counter, int16_t *state, const int16_t *x) {
    int32_t sum = 0;
    for (uint32_t k = 0; k < model->layers[0].x.columns; ++k) {
        sum += x[k];
    }
    return after_frame(policy, model, counter, state, sum <= policy->level);
}

bool rnn_edge_reset_quiet_magnitude(const rnn_edge_reset_policy *policy,
                                    const rnn_edge_model *model, rnn_edge_reset_counter *counter,
                                    int16_t *state, const int16_t *x) {
    int32_t sum = 0;
    for (uint32_t k = 0; k < model->layers[0].x.columns; ++k) {
        sum += x[k] < 0 ? -(int32_t)x[k] : (int32_t)x[k];
    }
    return after_frame(policy, model, counter, state, sum <= policy->level);
}

/* The lowest `bits` bits of a value, the first of them last; bits 1..15. */
static uint32_t reversed(uint32_t value, uint32_t bits) {
    uint32_t result = 0;
    for (uint32_t k = 0; k < bits; ++k) {
        result = (result << 1) | ((value >> k) & 1U);
    }
    return result;
}

bool rnn_edge_reset_decay(const rnn_edge_reset_policy *policy, const rnn_edge_model *model,
                          rnn_edge_reset_counter *counter, int16_t *state, const int16_t *x) {
    (void)x;
    /* What is added before the division takes every value below 2^shift once in as many frames, far
     * ones after each other: on average the loss is exact, and no value is too small for one. */
    const int32_t added = (int32_t)reversed(counter->frames, policy->shift);
    counter->frames = (counter->frames + 1U) & (((uint32_t)1 << policy->shift) - 1U);
    for (uint32_t k = 0; k < model->state_values; ++k) {
        const int32_t value = state[k];
        if (value < 0) {
            state[k] = (int16_t)(value + rnn_edge_floor_shift32(added - value, policy->shift));
        } else {
            state[k] = (int16_t)(value - rnn_edge_floor_shift32(added + value, policy->shift));
        }
    }
    return false;
}

size_t rnn_edge_reset_save(const rnn_edge_reset_policy *policy, const rnn_edge_model *model,
                           const rnn_edge_reset_counter *counter, const int16_t *state,
                           uint8_t *blob) {
    const uint32_t words[WORDS] = {policy->kind, policy->frames, (uint32_t)policy->level,
                                   policy->shift, counter->frames};
    size_t at = rnn_edge_model_save(model, state, blob);
    for (unsigned k = 0; k < WORDS; ++k) {
        rnn_edge_put32(blob + at, words[k]);
        at += WORD_BYTES;
    }
    rnn_edge_put32(blob + at, rnn_edge_crc32(blob, at));
    return at + CRC_BYTES;
}

rnn_edge_status rnn_edge_reset_restore(const rnn_edge_reset_policy *policy,
                                       const rnn_edge_model *model, rnn_edge_reset_counter *counter,
                                       int16_t *state, const uint8_t *blob, size_t length) {
    const size_t own = RNN_EDGE_BLOB_BYTES((size_t)model->state_values);
    const size_t end = own + WORDS * WORD_BYTES;
    if (length != end + CRC_BYTES) {
        return RNN_EDGE_BAD_LENGTH;
    }
    if (rnn_edge_get32(blob + end) != rnn_edge_crc32(blob, end)) {
        return RNN_EDGE_BAD_CRC;
    }
    const uint32_t wanted[WORDS - 1] = {policy->kind, policy->frames, (uint32_t)policy->level,
                                        policy->shift};
    for (unsigned k = 0; k < WORDS - 1; ++k) {
        if (rnn_edge_get32(blob + own + k * WORD_BYTES) != wanted[k]) {
            return RNN_EDGE_BAD_POLICY;
        }
    }
    const rnn_edge_status status = rnn_edge_model_restore(model, state, blob, own);
    if (status == RNN_EDGE_OK) {
        counter->frames = rnn_edge_get32(blob + end - WORD_BYTES);
    }
    return status;
}
