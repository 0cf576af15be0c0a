/*
 * The commands of a host, one after the other.
 */
#include "rnn_edge_service.h"

#include "rnn_edge_config.h"

enum {
    FRAME_BYTES = 2 * RNN_EDGE_CONFIG_INPUTS,
    RESULT_VALUES = RNN_EDGE_CONFIG_OUTPUTS + RNN_EDGE_CONFIG_STATE_VALUES,
    RESULT_BYTES = 2 * RESULT_VALUES,
    BLOB_BYTES = RNN_EDGE_BLOB_BYTES(RNN_EDGE_CONFIG_STATE_VALUES),
    IDENTITY_BYTES = 2 + RNN_EDGE_DIGEST_BYTES + 3 * 4,
    COUNTER_BYTES = 1 + 4 + 8 + 4 + 4
};

static const rnn_edge_model *const MODEL = &RNN_EDGE_CONFIG_MODEL;

static int16_t state[RNN_EDGE_CONFIG_STATE_VALUES];
static int16_t scratch[RNN_EDGE_CONFIG_SCRATCH_VALUES];
static int16_t frame[RNN_EDGE_CONFIG_INPUTS];
static int16_t result[RNN_EDGE_CONFIG_OUTPUTS];

/* What goes over the stream for one command; never two at a time. */
static union {
    uint8_t frame[FRAME_BYTES];
    uint8_t result[RESULT_BYTES];
    uint8_t blob[1 + BLOB_BYTES];
    uint8_t identity[IDENTITY_BYTES];
    uint8_t counters[COUNTER_BYTES];
} buffer;

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

static uint8_t *put32(uint8_t *to, uint32_t value) {
    for (unsigned k = 0; k < 4; ++k) {
        to[k] = (uint8_t)(value >> (8 * k));
    }
    return to + 4;
}

static int16_t get16(const uint8_t *from) {
    const int32_t high = (int32_t)from[1];
    /* The upper byte carries the sign. */
    return (int16_t)((high < 128 ? high : high - 256) * 256 + (int32_t)from[0]);
}

static uint32_t get32(const uint8_t *from) {
    uint32_t value = 0;
    for (unsigned k = 0; k < 4; ++k) {
        value |= (uint32_t)from[k] << (8 * k);
    }
    return value;
}

static bool identify(void) {
    uint8_t *to = buffer.identity;
    *to++ = 'I';
    *to++ = RNN_EDGE_SERVICE_VERSION;
    for (unsigned k = 0; k < RNN_EDGE_DIGEST_BYTES; ++k) {
        *to++ = MODEL->digest[k];
    }
    to = put32(to, RNN_EDGE_CONFIG_INPUTS);
    to = put32(to, RNN_EDGE_CONFIG_OUTPUTS);
    put32(to, RNN_EDGE_CONFIG_STATE_VALUES);
    return rnn_edge_platform_write(buffer.identity, IDENTITY_BYTES);
}

/* A stream is at its start, or goes on from a state of which the policy has seen nothing. */
static void start_policy(void) {
#ifdef RNN_EDGE_CONFIG_RESET_POLICY
    counter.frames = 0;
#endif
}

/* What an application does before each step. */
static void apply_policy(void) {
#ifdef RNN_EDGE_CONFIG_RESET_POLICY
    const rnn_edge_reset_policy *policy = &RNN_EDGE_CONFIG_RESET_POLICY;
    policy->prepare(policy, MODEL, &counter, state, frame);
#endif
}

static bool reset(void) {
    static const uint8_t answer = 'R';
    rnn_edge_model_reset(MODEL, state);
    start_policy();
    return rnn_edge_platform_write(&answer, 1);
}

static bool give_state(void) {
    buffer.blob[0] = 'G';
    rnn_edge_model_save(MODEL, state, buffer.blob + 1);
    return rnn_edge_platform_write(buffer.blob, 1 + BLOB_BYTES);
}

static bool take_state(void) {
    if (!rnn_edge_platform_read(buffer.blob, BLOB_BYTES)) {
        return false;
    }
    const rnn_edge_status status = rnn_edge_model_restore(MODEL, state, buffer.blob, BLOB_BYTES);
    if (status == RNN_EDGE_OK) {
        start_policy();
    }
    const uint8_t answer[2] = {'S', (uint8_t)(-(int)status)};
    return rnn_edge_platform_write(answer, sizeof answer);
}

static void step(bool is_deployed) {
    rnn_edge_platform_start_ticks();
    if (is_deployed) {
        apply_policy();
    }
    rnn_edge_model_step(MODEL, state, scratch, frame, result);
    const uint32_t taken = rnn_edge_platform_ticks();
    ++steps;
    ticks += taken;
    most_ticks = taken > most_ticks ? taken : most_ticks;
}

static bool step_frames(bool is_deployed) {
    uint8_t head[4];
    if (!rnn_edge_platform_read(head, sizeof head)) {
        return false;
    }
    for (uint32_t left = get32(head); left != 0; --left) {
        if (!rnn_edge_platform_read(buffer.frame, FRAME_BYTES)) {
            return false;
        }
        for (uint32_t k = 0; k < RNN_EDGE_CONFIG_INPUTS; ++k) {
            frame[k] = get16(buffer.frame + 2 * k);
        }
        step(is_deployed);
        uint8_t *to = buffer.result;
        for (uint32_t k = 0; k < RNN_EDGE_CONFIG_OUTPUTS; ++k) {
            to = put16(to, result[k]);
        }
        for (uint32_t k = 0; k < RNN_EDGE_CONFIG_STATE_VALUES; ++k) {
            to = put16(to, state[k]);
        }
        if (!rnn_edge_platform_write(buffer.result, RESULT_BYTES)) {
            return false;
        }
    }
    return true;
}

static bool give_counters(void) {
    uint8_t *to = buffer.counters;
    *to++ = 'C';
    to = put32(to, steps);
    to = put32(to, (uint32_t)ticks);
    to = put32(to, (uint32_t)(ticks >> 32));
    to = put32(to, most_ticks);
    put32(to, rnn_edge_platform_stack_bytes());
    return rnn_edge_platform_write(buffer.counters, COUNTER_BYTES);
}

static bool answer_to(uint8_t command) {
    switch (command) {
    case 'I':
        return identify();
    case 'R':
        return reset();
    case 'G':
        return give_state();
    case 'S':
        return take_state();
    case 'F':
        return step_frames(false);
    case 'A':
        return step_frames(true);
    case 'C':
        return give_counters();
    default:
        rnn_edge_platform_write((const uint8_t *)"?", 1);
        return false;
    }
}

rnn_edge_service_end rnn_edge_service_run(void) {
    uint8_t command = 0;
    rnn_edge_model_reset(MODEL, state);
    while (rnn_edge_platform_read(&command, 1)) {
        if (command == 'Q') {
            rnn_edge_platform_write(&command, 1);
            return RNN_EDGE_SERVICE_DONE;
        }
        if (!answer_to(command)) {
            return RNN_EDGE_SERVICE_LOST;
        }
    }
    return RNN_EDGE_SERVICE_DONE;
}
