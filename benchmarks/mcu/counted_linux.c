/*
 * Steps a model over the frames as often as the argument says, and prints a hash of the last
 * outputs and the state.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "benchmark.h"
#include "frames.h"

static uint32_t hash(uint32_t value, const int16_t *values, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        value = (value ^ (uint16_t)values[k]) * UINT32_C(16777619);
    }
    return value;
}

int main(int count, char **arguments) {
    static benchmark_stream stream;
    static int16_t y[FRAMES][BENCHMARK_OUTPUTS];
    const int steps = count > 1 ? atoi(arguments[1]) : FRAMES;
    benchmark_stream_init(&stream);
    for (int t = 0; t < steps && t < FRAMES; ++t) {
        (void)benchmark_stream_step(&stream, frames[t], y[t]);
    }
    const uint32_t outputs = hash(UINT32_C(2166136261), y[0], FRAMES * BENCHMARK_OUTPUTS);
    printf("%08x\n", (unsigned)hash(outputs, stream.state.values, BENCHMARK_STATE_VALUES));
    return 0;
}
