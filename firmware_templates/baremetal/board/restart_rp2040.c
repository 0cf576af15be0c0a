/*
 * Starts an RP2040 again through its watchdog: the processor's own request restarts the processor,
 * and nothing around it.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 4.7 "Watchdog", CTRL.TRIGGER, and 2.13 "Power-On State
 * Machine", WDSEL; Armv6-M Architecture Reference Manual, "Application Interrupt and Reset Control
 * Register".
 */
#include "board/parts.h"
#include "board/rp2040.h"

#define PSM_WDSEL RNN_EDGE_REGISTER(0x40010008)
#define ALL_BUT_OSCILLATORS UINT32_C(0x0001FFFC)
#define TRIGGER (UINT32_C(1) << 31)
#define AIRCR RNN_EDGE_REGISTER(0xE000ED0C)
#define REQUEST UINT32_C(0x05FA0004)

_Noreturn void rnn_edge_board_restart(void) {
    PSM_WDSEL = ALL_BUT_OSCILLATORS;
    SETTING(WATCHDOG_CTRL) = TRIGGER;
    rnn_edge_data_barrier();
    /* Only a simulator comes here, whose watchdog keeps the reason and restarts nothing. */
    for (;;) {
        AIRCR = REQUEST;
    }
}
