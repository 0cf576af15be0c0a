/*
 * Feeds a front end hop by hop on an emulated Cortex-M and writes its frames, the clock ticks of
 * each and the depth of the stack to a file, through semihosting.
 *
 * samples.h: FRAMES, the values of a frame and of a sample, FRAME_VALUES and SAMPLE_VALUES, and all
 * samples [][SAMPLE_VALUES], of sound or of sensors.
 */
#include "mcu_image.h"
#include "sample_frontend.h"
#include "samples.h"

static struct {
    uint32_t stack_bytes;
    uint32_t ticks[FRAMES];
    int16_t x[FRAMES][FRAME_VALUES];
} result;
static sample_frontend front;

static void measure(void) {
    sample_frontend_init(&front);
    size_t at = 0;
    for (uint32_t frame = 0; frame < FRAMES; ++frame) {
        /* What lies before the last hop of the first window is not counted. */
        const size_t wanted =
            frame == 0U ? SAMPLE_FRONTEND_WINDOW_SAMPLES : SAMPLE_FRONTEND_HOP_SAMPLES;
        size_t taken = 0;
        const uint32_t start = mcu_now();
        (void)sample_frontend_feed(&front, samples + at * SAMPLE_VALUES, wanted, result.x[frame],
                                   &taken);
        result.ticks[frame] = mcu_ticks_since(start);
        at += taken;
    }
}

_Noreturn void rnn_edge_reset(void) {
    mcu_run(measure, &result.stack_bytes, sizeof result);
}
