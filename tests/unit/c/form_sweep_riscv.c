/*
 * The sweep as an image for RV32 under an emulator: lines go to a serial port, and a word to a
 * device ends it. The memory functions are the firmware's.
 */
#include <stddef.h>
#include <stdint.h>

#include "form_sweep.h"

enum { DIGITS = 8, FINISHED = 0x5555 };

#define UART (*(volatile uint8_t *)0x10000000U)
#define TEST_DEVICE (*(volatile uint32_t *)0x00100000U)

void start(void);
void begin(void);

__attribute__((naked, section(".start"), used)) void start(void) {
    __asm__ volatile("la sp, stack_top\n\tj begin");
}

static void print(const char *text) {
    while (*text != '\0') {
        UART = (uint8_t)*text++;
    }
}

void sweep_line(const char *part, uint32_t digest) {
    char text[DIGITS + 3];
    text[0] = ' ';
    for (unsigned k = 0; k < DIGITS; ++k) {
        text[1U + k] = "0123456789ABCDEF"[(digest >> (4U * (DIGITS - 1U - k))) & 15U];
    }
    text[DIGITS + 1] = '\n';
    text[DIGITS + 2] = '\0';
    print(part);
    print(text);
}

void begin(void) {
    sweep();
    TEST_DEVICE = FINISHED;
    for (;;) {
    }
}
