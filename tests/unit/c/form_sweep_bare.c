/*
 * The sweep as an image for a Cortex-M under an emulator, which prints what it is told by
 * semihosting.
 */
#include <stddef.h>
#include <stdint.h>

#include "form_sweep.h"

enum { SYS_WRITE0 = 4, SYS_EXIT = 0x18, APPLICATION_EXIT = 0x20026, DIGITS = 8 };

#define CPACR (*(volatile uint32_t *)0xE000ED88U)

extern uint32_t stack_top[];
void reset(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *top;
    void (*reset)(void);
} VECTORS = {stack_top, reset};

static void ask(uint32_t operation, uintptr_t argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void sweep_line(const char *part, uint32_t digest) {
    char text[DIGITS + 3];
    text[0] = ' ';
    for (unsigned k = 0; k < DIGITS; ++k) {
        text[1U + k] = "0123456789ABCDEF"[(digest >> (4U * (DIGITS - 1U - k))) & 15U];
    }
    text[DIGITS + 1] = '\n';
    text[DIGITS + 2] = '\0';
    ask(SYS_WRITE0, (uintptr_t)part);
    ask(SYS_WRITE0, (uintptr_t)text);
}

void reset(void) {
    /* Lets the vectors, which share their registers with the floating point, be used. */
    CPACR |= 0xFU << 20;
    __asm__ volatile("dsb\nisb" ::: "memory");
    sweep();
    ask(SYS_EXIT, APPLICATION_EXIT);
    for (;;) {
    }
}

/* What compilers call. */
void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int value, size_t count);

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    const char *source = from;
    for (char *at = to; count != 0; --count) {
        *at++ = *source++;
        __asm__ volatile("" ::: "memory");
    }
    return to;
}

void *memset(void *to, int value, size_t count) {
    for (char *at = to; count != 0; --count) {
        *at++ = (char)value;
        __asm__ volatile("" ::: "memory");
    }
    return to;
}
