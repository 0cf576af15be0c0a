/*
 * Registers of the RP2040 that more than one part uses.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 2.1.2 "Atomic Register Access", 2.14 "Subsystem
 * Resets", 2.19 "GPIO", 4.7 "Watchdog".
 */
#ifndef RNN_EDGE_RP2040_H
#define RNN_EDGE_RP2040_H

#include "board/cortex_m.h"

/* Every register is there again where writing sets bits, and where it clears them. */
#define SETTING(address) RNN_EDGE_REGISTER(UINT32_C(0x2000) + (address))
#define CLEARING(address) RNN_EDGE_REGISTER(UINT32_C(0x3000) + (address))

#define RESETS UINT32_C(0x4000C000)
#define RESETS_DONE RNN_EDGE_REGISTER(RESETS + 8U)
#define WATCHDOG_CTRL UINT32_C(0x40058000)
#define WATCHDOG_ENABLE (UINT32_C(1) << 30)
#define GPIO_CTRL(pin) RNN_EDGE_REGISTER(UINT32_C(0x40014004) + 8U * (pin))
#define PAD(pin) RNN_EDGE_REGISTER(UINT32_C(0x4001C004) + 4U * (pin))

enum {
    RNN_EDGE_RESET_IO_BANK0 = 1 << 5,
    RNN_EDGE_RESET_PADS_BANK0 = 1 << 8,
    RNN_EDGE_RESET_PLL_SYS = 1 << 12,
    RNN_EDGE_RESET_UART0 = 1 << 22,
    /* It takes a few clocks. */
    RNN_EDGE_RESET_PATIENCE = 10000
};

/* Lets parts of the chip go that a restart holds. */
static inline void rnn_edge_release(uint32_t parts) {
    CLEARING(RESETS) = parts;
    for (uint32_t left = RNN_EDGE_RESET_PATIENCE; left != 0 && (RESETS_DONE & parts) != parts;
         --left) {
    }
}

#endif
