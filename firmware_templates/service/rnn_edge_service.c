/*
 * The commands of a host, one after the other.
 */
#include "rnn_edge_service.h"

enum {
    RESULT_BYTES = RNN_EDGE_SERVED_OUTPUT_BYTES + RNN_EDGE_SERVED_STATE_BYTES,
    BLOB_BYTES = RNN_EDGE_SERVED_BLOB_BYTES,
    IDENTITY_BYTES = 2 + RNN_EDGE_SERVED_IDENTITY_BYTES,
    COUNTER_BYTES = 1 + RNN_EDGE_SERVED_COUNTER_BYTES
};

/* What goes over the stream for one command; never two at a time. */
static union {
    uint8_t frame[RNN_EDGE_SERVED_FRAME_BYTES];
    uint8_t result[RESULT_BYTES];
    uint8_t blob[1 + BLOB_BYTES];
    uint8_t identity[IDENTITY_BYTES];
    uint8_t counters[COUNTER_BYTES];
} buffer;

static bool identify(void) {
    buffer.identity[0] = 'I';
    buffer.identity[1] = RNN_EDGE_SERVICE_VERSION;
    rnn_edge_served_put_identity(buffer.identity + 2);
    return rnn_edge_platform_write(buffer.identity, IDENTITY_BYTES);
}

static bool reset(void) {
    static const uint8_t answer = 'R';
    rnn_edge_served_reset();
    return rnn_edge_platform_write(&answer, 1);
}

static bool give_state(void) {
    buffer.blob[0] = 'G';
    rnn_edge_served_save(buffer.blob + 1);
    return rnn_edge_platform_write(buffer.blob, 1 + BLOB_BYTES);
}

static bool take_state(void) {
    if (!rnn_edge_platform_read(buffer.blob, BLOB_BYTES)) {
        return false;
    }
    const rnn_edge_status status = rnn_edge_served_restore(buffer.blob, BLOB_BYTES);
    const uint8_t answer[2] = {'S', (uint8_t)(-(int)status)};
    return rnn_edge_platform_write(answer, sizeof answer);
}

static bool step_frames(bool is_deployed) {
    uint8_t head[4];
    if (!rnn_edge_platform_read(head, sizeof head)) {
        return false;
    }
    for (uint32_t left = rnn_edge_served_get32(head); left != 0; --left) {
        if (!rnn_edge_platform_read(buffer.frame, RNN_EDGE_SERVED_FRAME_BYTES)) {
            return false;
        }
        rnn_edge_served_step(buffer.frame, is_deployed);
        rnn_edge_served_put_state(rnn_edge_served_put_outputs(buffer.result));
        if (!rnn_edge_platform_write(buffer.result, RESULT_BYTES)) {
            return false;
        }
    }
    return true;
}

static bool give_counters(void) {
    buffer.counters[0] = 'C';
    rnn_edge_served_put_counters(buffer.counters + 1);
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
    rnn_edge_served_reset();
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
