/*
 * The least that a model needs: startup code, a stream, frames from a register, the decision to
 * another one.
 */
#include "benchmark.h"
#include "start.h"

/* Of a sensor and of what acts on the decision. */
static volatile int16_t sensor;
static volatile uint32_t actor;

_Noreturn void rnn_edge_exit(int code) {
    (void)code;
    for (;;) {
    }
}

_Noreturn void rnn_edge_begin(void) {
    static benchmark_stream stream;
    static int16_t x[BENCHMARK_INPUTS];
    static int16_t y[BENCHMARK_OUTPUTS];
    fill_memory();
    benchmark_stream_init(&stream);
    for (;;) {
        for (uint32_t k = 0; k < BENCHMARK_INPUTS; ++k) {
            x[k] = sensor;
        }
        (void)benchmark_stream_step(&stream, x, y);
        actor = rnn_edge_label(y, BENCHMARK_OUTPUTS);
    }
}
