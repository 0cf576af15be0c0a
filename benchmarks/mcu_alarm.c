/*
 * Decides on frames and outputs on an emulated Cortex-M and writes what came out, the clock ticks
 * of each frame and the depth of the stack to a file, through semihosting.
 *
 * stream.h: STREAM_FRAMES, stream_x [STREAM_FRAMES * INPUTS] and stream_y [STREAM_FRAMES *
 * OUTPUTS].
 */
#include "mcu_image.h"
#include "rnn_edge_decision.h"
#include "stream.h"

static struct {
    uint32_t stack_bytes;
    uint32_t ticks[STREAM_FRAMES];
    uint32_t scores[STREAM_FRAMES];
    uint8_t active[STREAM_FRAMES];
} result;

static void measure(void) {
    rnn_edge_decision_begin();
    for (uint32_t frame = 0; frame < STREAM_FRAMES; ++frame) {
        const int16_t *const x = stream_x + frame * RNN_EDGE_CONFIG_INPUTS;
        const int16_t *const y = stream_y + frame * RNN_EDGE_CONFIG_OUTPUTS;
        rnn_edge_decision_change change;
        const uint32_t start = mcu_now();
        const rnn_edge_decision found = rnn_edge_decision_update(x, y, NULL, &change);
        result.ticks[frame] = mcu_ticks_since(start);
        result.scores[frame] = found.score;
        result.active[frame] = rnn_edge_decision_active();
    }
}

_Noreturn void rnn_edge_reset(void) {
    mcu_run(measure, &result.stack_bytes, sizeof result);
}
