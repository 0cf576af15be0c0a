/*
 * Why an RP2040 started, as its registers say.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 4.7.6 "Watchdog", register REASON (both bits are zero
 * after any other restart); 2.13 "Power-On State Machine" and 2.10.7, register CHIP_RESET.
 */
#include "board/parts.h"
#include "board/rp2040.h"

#define REASON RNN_EDGE_REGISTER(0x40058008)
#define CHIP_RESET RNN_EDGE_REGISTER(0x40064008)

enum { REASON_TIMER = 1, REASON_ASKED = 2, HAD_POWER = 1 << 8, HAD_RUN_PIN = 1 << 16 };
#define HAD_DEBUGGER (UINT32_C(1) << 20)

static rnn_edge_board_start started;

void rnn_edge_cause_begin(void) {
    CLEARING(WATCHDOG_CTRL) = WATCHDOG_ENABLE;
    const uint32_t reason = REASON;
    const uint32_t chip = CHIP_RESET;
    if ((reason & REASON_ASKED) != 0) {
        started = RNN_EDGE_START_SOFTWARE;
    } else if ((reason & REASON_TIMER) != 0) {
        started = RNN_EDGE_START_WATCHDOG;
    } else if ((chip & (HAD_RUN_PIN | HAD_DEBUGGER)) != 0) {
        started = RNN_EDGE_START_PIN;
    } else {
        started = (chip & HAD_POWER) != 0 ? RNN_EDGE_START_POWER : RNN_EDGE_START_UNKNOWN;
    }
}

void rnn_edge_cause_note(rnn_edge_board_start cause) {
    (void)cause;
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return started;
}
