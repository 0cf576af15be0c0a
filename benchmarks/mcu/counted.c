/*
 * Counts the instructions of a model's steps, and tells their bits.
 *
 * Printed, eight hexadecimal digits each: ticks of all steps, ticks of all steps without their
 * outputs, ticks of all frames by NAME_steps, a hash of outputs and state, another one of those of
 * NAME_steps, bytes of the stack that a step takes, and that all of this takes.
 */
#include "benchmark.h"
#include "board/parts.h"
#include "board/semihosting.h"
#include "frames.h"
#include "rnn_edge_served.h"
#include "start.h"

enum { SYS_WRITEC = 0x03 };

#define PAINT UINT32_C(0xA5C3965A)

static benchmark_stream stream;
static int16_t y[FRAMES][BENCHMARK_OUTPUTS];

static void print(uint32_t value) {
    for (int shift = 28; shift >= 0; shift -= 4) {
        const uint32_t digit = (value >> shift) & 15U;
        const char letter = (char)(digit < 10U ? '0' + digit : 'a' + digit - 10U);
        rnn_edge_semihosting(SYS_WRITEC, (const uint32_t *)(const void *)&letter);
    }
}

static uint32_t hash(uint32_t value, const int16_t *values, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        value = (value ^ (uint16_t)values[k]) * UINT32_C(16777619);
    }
    return value;
}

static uint32_t hash_of_all(void) {
    const uint32_t outputs = hash(UINT32_C(2166136261), y[0], FRAMES * BENCHMARK_OUTPUTS);
    return hash(outputs, stream.state.values, BENCHMARK_STATE_VALUES);
}

static __attribute__((noinline)) void step_all(void) {
    for (uint32_t t = 0; t < FRAMES; ++t) {
        (void)benchmark_stream_step(&stream, frames[t], y[t]);
    }
}

static __attribute__((noinline)) void advance_all(void) {
    for (uint32_t t = 0; t < FRAMES; ++t) {
        (void)benchmark_stream_advance(&stream, frames[t]);
    }
}

static __attribute__((noinline)) void step_together(void) {
    benchmark_steps(&stream.state, frames[0], FRAMES, y[0]);
}

typedef enum { STEP, ADVANCE, TOGETHER } way;

/* The way is no pointer to a function, so that a compiler's call graph has the whole depth. */
static uint32_t ticks_of(way how) {
    benchmark_stream_init(&stream);
    rnn_edge_platform_start_ticks();
    if (how == STEP) {
        step_all();
    } else if (how == ADVANCE) {
        advance_all();
    } else {
        step_together();
    }
    return rnn_edge_platform_ticks();
}

static uint32_t stack_bytes(void) {
    const uint32_t *word = rnn_edge_stack_bottom;
    while (word < rnn_edge_stack_top && *word == PAINT) {
        ++word;
    }
    return (uint32_t)((uintptr_t)rnn_edge_stack_top - (uintptr_t)word);
}

_Noreturn void rnn_edge_begin(void) {
    for (uint32_t *word = rnn_edge_stack_bottom; word < rnn_edge_paint_end; ++word) {
        *word = PAINT;
    }
    fill_memory();
    rnn_edge_ticks_begin();
    const uint32_t whole = ticks_of(STEP);
    const uint32_t stack = stack_bytes();
    const uint32_t bits = hash_of_all();
    const uint32_t advanced = ticks_of(ADVANCE);
    const uint32_t together = ticks_of(TOGETHER);
    print(whole);
    print(advanced);
    print(together);
    print(bits);
    print(hash_of_all());
    print(stack);
    print(stack_bytes());
    rnn_edge_exit(0);
}
