/*
 * The clock of an STM32H743 from its first PLL, fed by the clock that comes into the board, or by
 * the oscillator on the chip where none comes. Buses have half of the processor's clock, what hangs
 * on them a quarter.
 *
 * The voltage is raised first, and the flash gets its wait states for 200 MHz. The cache of
 * instructions is switched on; that of data would hold back what RAM is to keep.
 *
 * Source: ST, RM0433, "PWR control register 3", "PWR D3 domain control register", "RCC PLLs clock
 * source selection register" and those behind it, "FLASH recommended number of wait states and
 * programming delay"; Armv7-M Architecture Reference Manual, "Cache and branch predictor
 * maintenance operations".
 *
 * Numbers of the board: hse_hz, pll_multiplier, pll_divider.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/stm32h7.h"

#define PWR_CSR1 RNN_EDGE_REGISTER(0x58024804)
#define PWR_CR3 RNN_EDGE_REGISTER(0x5802480C)
#define PWR_D3CR RNN_EDGE_REGISTER(0x58024818)
#define FLASH_ACR RNN_EDGE_REGISTER(0x52002000)
#define ICIALLU RNN_EDGE_REGISTER(0xE000EF50)
#define CCR RNN_EDGE_REGISTER(0xE000ED14)

#define CR_HSE_ON (UINT32_C(1) << 16)
#define CR_HSE_READY (UINT32_C(1) << 17)
#define CR_HSE_BYPASS (UINT32_C(1) << 18)
#define CR_PLL1_ON (UINT32_C(1) << 24)
#define CR_PLL1_READY (UINT32_C(1) << 25)
#define CR3_SUPPLY UINT32_C(7)
#define CR3_FROM_REGULATOR UINT32_C(2)
#define VOLTAGE_READY (UINT32_C(1) << 13)
#define D3CR_SCALE_1 (UINT32_C(3) << 14)
#define ACR_2_WAIT_STATES_FOR_200_MHZ UINT32_C(0x22)
#define PLLCKSELR_HSE UINT32_C(2)
#define PLLCFGR_INPUT_2_TO_4_MHZ (UINT32_C(1) << 2)
#define PLLCFGR_P_ON (UINT32_C(1) << 16)
#define HALF UINT32_C(8)   /* of a clock, in four bits */
#define HALVED UINT32_C(4) /* of a bus, in three */
#define CFGR_SWITCH_PLL1 UINT32_C(3)
#define CFGR_SWITCHED_PLL1 (UINT32_C(3) << 3)
#define CCR_INSTRUCTION_CACHE (UINT32_C(1) << 17)

enum {
    PLL_INPUT_HZ = 2000000,
    HSI_HZ = 64000000,
    /* Of a clock of 64 MHz that an attempt takes several of. */
    PATIENCE = 500000
};

_Static_assert(BOARD_HSE_HZ % PLL_INPUT_HZ == 0, "the clock that comes is a multiple of 2 MHz");

static bool wait_for(volatile uint32_t *where, uint32_t bits) {
    return rnn_edge_wait_for(where, bits, PATIENCE);
}

static bool start_oscillator(void) {
    RCC_CR |= CR_HSE_BYPASS;
    RCC_CR |= CR_HSE_ON;
    if (wait_for(&RCC_CR, CR_HSE_READY)) {
        return true;
    }
    RCC_CR &= ~CR_HSE_ON;
    RCC_CR &= ~CR_HSE_BYPASS;
    return false;
}

static void raise_voltage(void) {
    /* Taken once after power came; nothing can be raised before. */
    PWR_CR3 = (PWR_CR3 & ~CR3_SUPPLY) | CR3_FROM_REGULATOR;
    (void)wait_for(&PWR_CSR1, VOLTAGE_READY);
    PWR_D3CR |= D3CR_SCALE_1;
    (void)wait_for(&PWR_D3CR, VOLTAGE_READY);
}

static void enable_cache(void) {
    ICIALLU = 0;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    CCR |= CCR_INSTRUCTION_CACHE;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

void rnn_edge_clock_begin(void) {
    enable_cache();
    raise_voltage();
    const bool has_oscillator = start_oscillator();
    const uint32_t input_divider = (has_oscillator ? BOARD_HSE_HZ : HSI_HZ) / PLL_INPUT_HZ;
    RCC_PLLCKSELR = (has_oscillator ? PLLCKSELR_HSE : 0) | (input_divider << 4);
    RCC_PLLCFGR = PLLCFGR_INPUT_2_TO_4_MHZ | PLLCFGR_P_ON;
    RCC_PLL1DIVR = (BOARD_PLL_MULTIPLIER - 1U) | ((BOARD_PLL_DIVIDER - 1U) << 9);
    RCC_CR |= CR_PLL1_ON;
    if (!wait_for(&RCC_CR, CR_PLL1_READY)) {
        /* The clock stays at 64 MHz, and the link without an answer. */
        return;
    }
    RCC_D1CFGR = HALF | (HALVED << 4);
    RCC_D2CFGR = (HALVED << 4) | (HALVED << 8);
    RCC_D3CFGR = HALVED << 4;
    FLASH_ACR = ACR_2_WAIT_STATES_FOR_200_MHZ;
    (void)FLASH_ACR;
    RCC_CFGR = CFGR_SWITCH_PLL1;
    (void)wait_for(&RCC_CFGR, CFGR_SWITCHED_PLL1);
}
