/*
 * Counts the processor's clocks with its own timer.
 *
 * Source: Armv6-M, Armv7-M and Armv8-M Architecture Reference Manuals, "System timer, SysTick", and
 * "Interrupt Control and State Register".
 */
#include "board/cortex_m.h"
#include "board/parts.h"
#include "rnn_edge_served.h"

#define SYST_CSR RNN_EDGE_REGISTER(0xE000E010)
#define SYST_RVR RNN_EDGE_REGISTER(0xE000E014)
#define SYST_CVR RNN_EDGE_REGISTER(0xE000E018)
#define ICSR RNN_EDGE_REGISTER(0xE000ED04)

#define ENABLED_ON_THE_PROCESSOR_CLOCK UINT32_C(5)
#define INTERRUPT UINT32_C(2)
#define FORGET_INTERRUPT (UINT32_C(1) << 25)
#define LARGEST UINT32_C(0x00FFFFFF)

static uint32_t start;

void rnn_edge_ticks_begin(void) {
    SYST_RVR = LARGEST;
    SYST_CVR = 0;
    SYST_CSR = ENABLED_ON_THE_PROCESSOR_CLOCK;
}

void rnn_edge_platform_start_ticks(void) {
    start = SYST_CVR;
}

/* The counter runs downwards, and from 0 to the largest value. */
uint32_t rnn_edge_platform_ticks(void) {
    return (start - SYST_CVR) & LARGEST;
}

/* It comes when the counter runs through 0, at least every 2^24 clocks. */
void rnn_edge_alarm_begin(void) {
    SYST_CSR = ENABLED_ON_THE_PROCESSOR_CLOCK | INTERRUPT;
}

void rnn_edge_alarm_end(void) {
    SYST_CSR = ENABLED_ON_THE_PROCESSOR_CLOCK;
    ICSR = FORGET_INTERRUPT;
}
