/*
 * One stream of a model, its reset policy and its counters.
 */
#include "rnn_edge_served.h"

#include <string.h>

static const rnn_edge_model *const MODEL = &RNN_EDGE_CONFIG_MODEL;

static int16_t state[RNN_EDGE_CONFIG_STATE_VALUES];
static int16_t scratch[RNN_EDGE_CONFIG_SCRATCH_VALUES];
static int16_t frame[RNN_EDGE_CONFIG_INPUTS];
static int16_t result[RNN_EDGE_CONFIG_OUTPUTS];

#ifdef RNN_EDGE_CONFIG_RESET_POLICY
static rnn_edge_reset_counter counter;
#endif

static uint32_t steps;
static uint64_t ticks;
static uint32_t most_ticks;

static uint8_t *put16(uint8_t *to, int16_t value) {
    const uint32_t bits = (uint16_t)value;
    to[0] = (uint8_t)bits;
    to[1] = (uint8_t)(bits >> 8);
    return to + 2;
}

static int16_t get16(const uint8_t *from) {
    const int32_t high = (int32_t)from[1];
    /* The upper byte carries the sign. */
    return (int16_t)((high < 128 ? high : high - 256) * 256 + (int32_t)from[0]);
}

uint8_t *rnn_edge_served_put32(uint8_t *to, uint32_t value) {
    for (unsigned k = 0; k < 4; ++k) {
        to[k] = (uint8_t)(value >> (8 * k));
    }
    return to + 4;
}

uint32_t rnn_edge_served_get32(const uint8_t *from) {
    uint32_t value = 0;
    for (unsigned k = 0; k < 4; ++k) {
        value |= (uint32_t)from[k] << (8 * k);
    }
    return value;
}

/* A stream is at its start, or goes on from a state of which the policy has seen nothing. */
static void start_policy(void) {
#ifdef RNN_EDGE_CONFIG_RESET_POLICY
    counter.frames = 0;
#endif
}

/* What an application does before each step. */
static bool apply_policy(void) {
#ifdef RNN_EDGE_CONFIG_RESET_POLICY
    const rnn_edge_reset_policy *policy = &RNN_EDGE_CONFIG_RESET_POLICY;
    return policy->prepare(policy, MODEL, &counter, state, frame);
#else
    return false;
#endif
}

void rnn_edge_served_begin(void) {
    steps = 0;
    ticks = 0;
    most_ticks = 0;
    rnn_edge_served_reset();
}

void rnn_edge_served_reset(void) {
    rnn_edge_model_reset(MODEL, state);
    start_policy();
}

static bool step(bool is_deployed) {
    rnn_edge_platform_start_ticks();
    const bool was_reset = is_deployed && apply_policy();
    rnn_edge_model_step(MODEL, state, scratch, frame, result);
    const uint32_t taken = rnn_edge_platform_ticks();
    ++steps;
    ticks += taken;
    most_ticks = taken > most_ticks ? taken : most_ticks;
    return was_reset;
}

void rnn_edge_served_get_frame(const uint8_t *from, int16_t *values) {
    for (uint32_t k = 0; k < RNN_EDGE_CONFIG_INPUTS; ++k) {
        values[k] = get16(from + 2 * k);
    }
}

bool rnn_edge_served_step(const uint8_t *from, bool is_deployed) {
    rnn_edge_served_get_frame(from, frame);
    return step(is_deployed);
}

bool rnn_edge_served_step_values(const int16_t *values) {
    memcpy(frame, values, sizeof frame);
    return step(true);
}

const int16_t *rnn_edge_served_frame(void) {
    return frame;
}

const int16_t *rnn_edge_served_outputs(void) {
    return result;
}

uint32_t rnn_edge_served_steps(void) {
    return steps;
}

uint32_t rnn_edge_served_most_ticks(void) {
    return most_ticks;
}

void rnn_edge_served_save(uint8_t *blob) {
    rnn_edge_model_save(MODEL, state, blob);
}

rnn_edge_status rnn_edge_served_restore(const uint8_t *blob, size_t length) {
    const rnn_edge_status status = rnn_edge_model_restore(MODEL, state, blob, length);
    if (status == RNN_EDGE_OK) {
        start_policy();
    }
    return status;
}

void rnn_edge_served_save_stream(uint8_t *blob) {
#ifdef RNN_EDGE_CONFIG_RESET_POLICY
    rnn_edge_reset_save(&RNN_EDGE_CONFIG_RESET_POLICY, MODEL, &counter, state, blob);
#else
    rnn_edge_model_save(MODEL, state, blob);
#endif
}

rnn_edge_status rnn_edge_served_restore_stream(const uint8_t *blob, size_t length) {
#ifdef RNN_EDGE_CONFIG_RESET_POLICY
    return rnn_edge_reset_restore(&RNN_EDGE_CONFIG_RESET_POLICY, MODEL, &counter, state, blob,
                                  length);
#else
    return rnn_edge_model_restore(MODEL, state, blob, length);
#endif
}

uint8_t *rnn_edge_served_put_frame(uint8_t *to) {
    for (uint32_t k = 0; k < RNN_EDGE_CONFIG_INPUTS; ++k) {
        to = put16(to, frame[k]);
    }
    return to;
}

uint8_t *rnn_edge_served_put_outputs(uint8_t *to) {
    for (uint32_t k = 0; k < RNN_EDGE_CONFIG_OUTPUTS; ++k) {
        to = put16(to, result[k]);
    }
    return to;
}

uint8_t *rnn_edge_served_put_state(uint8_t *to) {
    for (uint32_t k = 0; k < RNN_EDGE_CONFIG_STATE_VALUES; ++k) {
        to = put16(to, state[k]);
    }
    return to;
}

uint8_t *rnn_edge_served_put_identity(uint8_t *to) {
    for (unsigned k = 0; k < RNN_EDGE_DIGEST_BYTES; ++k) {
        *to++ = MODEL->digest[k];
    }
    to = rnn_edge_served_put32(to, RNN_EDGE_CONFIG_INPUTS);
    to = rnn_edge_served_put32(to, RNN_EDGE_CONFIG_OUTPUTS);
    return rnn_edge_served_put32(to, RNN_EDGE_CONFIG_STATE_VALUES);
}

uint8_t *rnn_edge_served_put_counters(uint8_t *to) {
    to = rnn_edge_served_put32(to, steps);
    to = rnn_edge_served_put32(to, (uint32_t)ticks);
    to = rnn_edge_served_put32(to, (uint32_t)(ticks >> 32));
    to = rnn_edge_served_put32(to, most_ticks);
    return rnn_edge_served_put32(to, rnn_edge_platform_stack_bytes());
}
