/*
 * Feeds a front end hop by hop on an emulated Cortex-M and writes its frames, the clock ticks of
 * each and the depth of the stack to a file, through semihosting.
 *
 * samples.h: FRAMES, the values of a frame and of a sample, FRAME_VALUES and SAMPLE_VALUES, and all
 * samples [][SAMPLE_VALUES], of sound or of sensors.
 *
 * Source: Armv7-M Architecture Reference Manual, "System timer, SysTick"; Arm, "Semihosting for
 * AArch32 and AArch64".
 */
#include "sample_frontend.h"
#include "samples.h"

#define SYST_CSR (*(volatile uint32_t *)0xE000E010U)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014U)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018U)
#define LARGEST 0x00FFFFFFU
#define PAINT 0xA5C3965AU

enum { OPEN = 1, CLOSE = 2, WRITE = 5, EXIT = 0x18, WRITE_BINARY = 5, STOPPED = 0x20026 };

extern uint32_t rnn_edge_stack_bottom[];
extern uint32_t rnn_edge_stack_top[];
extern uint32_t rnn_edge_paint_end[];
extern uint32_t rnn_edge_bss_start[];
extern uint32_t rnn_edge_bss_end[];
_Noreturn void rnn_edge_reset(void);

static struct {
    uint32_t stack_bytes;
    uint32_t ticks[FRAMES];
    int16_t x[FRAMES][FRAME_VALUES];
} result;
static sample_frontend front;

static uint32_t host(uint32_t operation, const void *parameters) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = parameters;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void write_result(void) {
    static const char name[] = "result.bin";
    const uint32_t opened[] = {(uint32_t)(uintptr_t)name, WRITE_BINARY, sizeof name - 1U};
    const uint32_t file = host(OPEN, opened);
    const uint32_t written[] = {file, (uint32_t)(uintptr_t)&result, sizeof result};
    host(WRITE, written);
    host(CLOSE, &file);
}

static void measure(void) {
    SYST_RVR = LARGEST;
    SYST_CVR = 0;
    SYST_CSR = 5;
    sample_frontend_init(&front);
    size_t at = 0;
    for (uint32_t frame = 0; frame < FRAMES; ++frame) {
        /* What lies before the last hop of the first window is not counted. */
        const size_t wanted =
            frame == 0U ? SAMPLE_FRONTEND_WINDOW_SAMPLES : SAMPLE_FRONTEND_HOP_SAMPLES;
        size_t taken = 0;
        const uint32_t start = SYST_CVR;
        (void)sample_frontend_feed(&front, samples + at * SAMPLE_VALUES, wanted, result.x[frame],
                                   &taken);
        result.ticks[frame] = (start - SYST_CVR) & LARGEST;
        at += taken;
    }
}

_Noreturn void rnn_edge_reset(void) {
    for (uint32_t *word = rnn_edge_bss_start; word < rnn_edge_bss_end; ++word) {
        *word = 0;
    }
    for (uint32_t *word = rnn_edge_stack_bottom; word < rnn_edge_paint_end; ++word) {
        *word = PAINT;
    }
    measure();
    const uint32_t *deepest = rnn_edge_stack_bottom;
    while (*deepest == PAINT) {
        ++deepest;
    }
    result.stack_bytes = (uint32_t)((uintptr_t)rnn_edge_stack_top - (uintptr_t)deepest);
    write_result();
    host(EXIT, (const void *)STOPPED);
    for (;;) {
    }
}

typedef union {
    void *address;
    void (*handler)(void);
} vector;

__attribute__((section(".vectors"), used)) static const vector vectors[2] = {
    {.address = rnn_edge_stack_top},
    {.handler = rnn_edge_reset},
};
