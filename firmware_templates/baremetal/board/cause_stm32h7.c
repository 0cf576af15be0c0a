/*
 * Why an STM32H743 started, as its register says.
 *
 * Source: ST, RM0433, "RCC reset status register": flags stay until they are taken back, and the
 * pin's is set by every reset.
 */
#include "board/parts.h"
#include "board/stm32h7.h"

#define RSR_TAKE_BACK (UINT32_C(1) << 16)
#define RSR_BROWN_OUT (UINT32_C(1) << 21)
#define RSR_PIN (UINT32_C(1) << 22)
#define RSR_POWER (UINT32_C(1) << 23)
#define RSR_SOFTWARE (UINT32_C(1) << 24)
#define RSR_WATCHDOGS ((UINT32_C(1) << 26) | (UINT32_C(1) << 28))

static rnn_edge_board_start started;

void rnn_edge_cause_begin(void) {
    const uint32_t flags = RCC_RSR;
    RCC_RSR |= RSR_TAKE_BACK;
    if ((flags & RSR_POWER) != 0) {
        started = RNN_EDGE_START_POWER;
    } else if ((flags & RSR_WATCHDOGS) != 0) {
        started = RNN_EDGE_START_WATCHDOG;
    } else if ((flags & RSR_SOFTWARE) != 0) {
        started = RNN_EDGE_START_SOFTWARE;
    } else if ((flags & RSR_BROWN_OUT) != 0) {
        started = RNN_EDGE_START_POWER;
    } else {
        started = (flags & RSR_PIN) != 0 ? RNN_EDGE_START_PIN : RNN_EDGE_START_UNKNOWN;
    }
}

void rnn_edge_cause_note(rnn_edge_board_start cause) {
    (void)cause;
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return started;
}
