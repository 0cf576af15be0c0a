/*
 * The clock of an STM32F4 from its PLL, fed by the board's oscillator, or by the one on the chip
 * where the board's does not start.
 *
 * Both are divided to 2 MHz, multiplied, and halved or quartered. The flash gets its wait states
 * before the clock is raised, and its caches are switched on.
 *
 * Source: ST, RM0090, RM0368 and RM0390, "RCC clock control register", "RCC PLL configuration
 * register", "RCC clock configuration register", "Relation between CPU clock frequency and Flash
 * memory read time", "PWR power control register" (over-drive, F446 only).
 *
 * Numbers of the board: hse_hz, hse_is_clock (1: a clock comes in, 0: a crystal), pll_multiplier,
 * pll_divider (2 or 4), pll_q, apb1_divider, apb2_divider (1, 2, 4), flash_wait_states, overdrive.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/stm32f4.h"

#define PWR_CR RNN_EDGE_REGISTER(0x40007000)
#define PWR_CSR RNN_EDGE_REGISTER(0x40007004)

#define CR_HSI_ON UINT32_C(1)
#define CR_HSI_READY UINT32_C(2)
#define CR_HSE_ON (UINT32_C(1) << 16)
#define CR_HSE_READY (UINT32_C(1) << 17)
#define CR_HSE_BYPASS (UINT32_C(1) << 18)
#define CR_PLL_ON (UINT32_C(1) << 24)
#define CR_PLL_READY (UINT32_C(1) << 25)
/* Reserved, or the divider of an output that is not used. */
#define PLLCFGR_AS_IT_WAS (UINT32_C(2) << 28)
#define PLLCFGR_FROM_HSE (UINT32_C(1) << 22)
#define CFGR_SWITCH_PLL UINT32_C(2)
#define CFGR_SWITCHED (UINT32_C(3) << 2)
#define CFGR_SWITCHED_PLL (UINT32_C(2) << 2)
#define APB1ENR_PWR (UINT32_C(1) << 28)
#define OVERDRIVE_ON (UINT32_C(1) << 16)
#define OVERDRIVE_SWITCH (UINT32_C(1) << 17)
#define ACR_PREFETCH_AND_CACHES UINT32_C(0x700)

enum {
    PLL_INPUT_HZ = 2000000,
    HSI_HZ = 16000000,
    /* A crystal takes milliseconds, of a clock of 16 MHz that an attempt takes several of. */
    PATIENCE = 200000
};

_Static_assert(BOARD_HSE_HZ % PLL_INPUT_HZ == 0, "the oscillator is a multiple of 2 MHz");

static bool wait_for(volatile uint32_t *where, uint32_t bits) {
    return rnn_edge_wait_for(where, bits, PATIENCE);
}

/* The three bits of a bus that is divided by 1, 2 or 4. */
static uint32_t bus(uint32_t divider) {
    return divider == 1 ? 0 : divider == 2 ? 4 : 5;
}

/* A boot loader that jumps here may have left its own clock, and a PLL that runs takes no setting.
 */
static void begin_as_after_a_reset(void) {
    RCC_CR |= CR_HSI_ON;
    (void)wait_for(&RCC_CR, CR_HSI_READY);
    RCC_CFGR = 0;
    for (uint32_t left = PATIENCE; left != 0 && (RCC_CFGR & CFGR_SWITCHED) != 0; --left) {
    }
    RCC_CR &= ~(CR_PLL_ON | CR_HSE_ON);
    for (uint32_t left = PATIENCE; left != 0 && (RCC_CR & (CR_PLL_READY | CR_HSE_READY)) != 0;
         --left) {
    }
}

/* Whether a clock comes in is said while the oscillator is off. */
static bool start_oscillator(void) {
    RCC_CR |= BOARD_HSE_IS_CLOCK != 0 ? CR_HSE_BYPASS : 0;
    RCC_CR |= CR_HSE_ON;
    if (wait_for(&RCC_CR, CR_HSE_READY)) {
        return true;
    }
    RCC_CR &= ~CR_HSE_ON;
    RCC_CR &= ~CR_HSE_BYPASS;
    return false;
}

static void raise_voltage(void) {
#if BOARD_OVERDRIVE
    RCC_APB1ENR |= APB1ENR_PWR;
    (void)RCC_APB1ENR;
    PWR_CR |= OVERDRIVE_ON;
    if (wait_for(&PWR_CSR, OVERDRIVE_ON)) {
        PWR_CR |= OVERDRIVE_SWITCH;
        (void)wait_for(&PWR_CSR, OVERDRIVE_SWITCH);
    }
#endif
}

void rnn_edge_clock_begin(void) {
    begin_as_after_a_reset();
    const bool has_oscillator = start_oscillator();
    const uint32_t input_divider = (has_oscillator ? BOARD_HSE_HZ : HSI_HZ) / PLL_INPUT_HZ;
    RCC_PLLCFGR = PLLCFGR_AS_IT_WAS | input_divider | (BOARD_PLL_MULTIPLIER << 6) |
                  ((BOARD_PLL_DIVIDER / 2U - 1U) << 16) | (BOARD_PLL_Q << 24) |
                  (has_oscillator ? PLLCFGR_FROM_HSE : 0);
    RCC_CR |= CR_PLL_ON;
    raise_voltage();
    if (!wait_for(&RCC_CR, CR_PLL_READY)) {
        /* The clock stays at 16 MHz, and the link without an answer: a watchdog is not on yet. */
        return;
    }
    FLASH_ACR = ACR_PREFETCH_AND_CACHES | BOARD_FLASH_WAIT_STATES;
    (void)FLASH_ACR;
    RCC_CFGR = (bus(BOARD_APB1_DIVIDER) << 10) | (bus(BOARD_APB2_DIVIDER) << 13);
    RCC_CFGR |= CFGR_SWITCH_PLL;
    (void)wait_for(&RCC_CFGR, CFGR_SWITCHED_PLL);
}
