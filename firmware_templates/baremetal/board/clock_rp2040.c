/*
 * The clocks of an RP2040: the board's crystal, the PLL behind it for the processor and the UART,
 * and the crystal divided to 1 MHz for the watchdog.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 2.15 "Clocks", 2.16 "Crystal Oscillator", 2.18 "PLL",
 * 4.7.2 "Tick generation".
 *
 * Numbers of the board: xosc_hz, pll_multiplier, pll_divider_1, pll_divider_2.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/rp2040.h"

#define CLK_REF_CTRL RNN_EDGE_REGISTER(0x40008030)
#define CLK_REF_SELECTED RNN_EDGE_REGISTER(0x40008038)
#define CLK_SYS_CTRL RNN_EDGE_REGISTER(0x4000803C)
#define CLK_SYS_SELECTED RNN_EDGE_REGISTER(0x40008044)
#define CLK_PERI_CTRL RNN_EDGE_REGISTER(0x40008048)
#define XOSC_CTRL RNN_EDGE_REGISTER(0x40024000)
#define XOSC_STATUS RNN_EDGE_REGISTER(0x40024004)
#define XOSC_STARTUP RNN_EDGE_REGISTER(0x4002400C)
#define PLL_CS RNN_EDGE_REGISTER(0x40028000)
#define PLL_PWR UINT32_C(0x40028004)
#define PLL_FBDIV RNN_EDGE_REGISTER(0x40028008)
#define PLL_PRIM RNN_EDGE_REGISTER(0x4002800C)
#define WATCHDOG_TICK RNN_EDGE_REGISTER(0x4005802C)

#define XOSC_RANGE_UP_TO_15_MHZ UINT32_C(0xAA0)
#define XOSC_ENABLE (UINT32_C(0xFAB) << 12)
#define STABLE (UINT32_C(1) << 31)
#define LOCKED (UINT32_C(1) << 31)
#define CLK_REF_OF_XOSC UINT32_C(2)
#define CLK_SYS_OF_AUX UINT32_C(1)
#define CLK_PERI_ENABLE (UINT32_C(1) << 11)
#define TICK_ENABLE (UINT32_C(1) << 9)

enum {
    /* About a millisecond for the crystal, in steps of 256 of its clocks. */
    XOSC_DELAY = (BOARD_XOSC_HZ / 1000 + 128) / 256,
    PLL_POWER = 1 << 0,
    PLL_POSTDIV_POWER = 1 << 3,
    PLL_VCO_POWER = 1 << 5,
    SELECTED_FIRST = 1 << 0,
    SELECTED_SECOND = 1 << 1,
    SELECTED_THIRD = 1 << 2,
    /* Of a clock of at most 12 MHz here, of which an attempt takes several. */
    PATIENCE = 100000
};

static void wait_for(volatile const uint32_t *where, uint32_t bits) {
    for (uint32_t left = PATIENCE; left != 0 && (*where & bits) == 0; --left) {
    }
}

static void start_crystal(void) {
    XOSC_CTRL = XOSC_RANGE_UP_TO_15_MHZ;
    XOSC_STARTUP = XOSC_DELAY;
    XOSC_CTRL = XOSC_RANGE_UP_TO_15_MHZ | XOSC_ENABLE;
    wait_for(&XOSC_STATUS, STABLE);
}

static void start_pll(void) {
    SETTING(RESETS) = RNN_EDGE_RESET_PLL_SYS;
    rnn_edge_release(RNN_EDGE_RESET_PLL_SYS);
    PLL_CS = 1;
    PLL_FBDIV = BOARD_PLL_MULTIPLIER;
    CLEARING(PLL_PWR) = PLL_POWER | PLL_VCO_POWER;
    wait_for(&PLL_CS, LOCKED);
    PLL_PRIM = (BOARD_PLL_DIVIDER_1 << 16) | (BOARD_PLL_DIVIDER_2 << 12);
    CLEARING(PLL_PWR) = PLL_POSTDIV_POWER;
}

void rnn_edge_clock_begin(void) {
    start_crystal();
    /* The processor's clock leaves the PLL before that is set up anew. */
    CLK_SYS_CTRL = 0;
    wait_for(&CLK_SYS_SELECTED, SELECTED_FIRST);
    CLK_REF_CTRL = CLK_REF_OF_XOSC;
    wait_for(&CLK_REF_SELECTED, SELECTED_THIRD);
    start_pll();
    CLK_SYS_CTRL = CLK_SYS_OF_AUX;
    wait_for(&CLK_SYS_SELECTED, SELECTED_SECOND);
    CLK_PERI_CTRL = CLK_PERI_ENABLE;
    WATCHDOG_TICK = TICK_ENABLE | (BOARD_XOSC_HZ / 1000000);
}
