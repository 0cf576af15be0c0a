/* Starts newlib's semihosting program on an emulated Cortex-M with RAM from address 0 on. */
#include <stdint.h>

void _start(void);

static void reset(void) {
    /* Floating-point registers are usable: a board's startup does it where there are some. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    _start();
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))0x00200000, reset};
