/*
 * Why an STM32F4 started, as its register says.
 *
 * Source: ST, RM0090, RM0368 and RM0390, "RCC clock control & status register": flags stay until
 * they are taken back, and the pin's is set by every reset.
 */
#include "board/parts.h"
#include "board/stm32f4.h"

#define CSR_TAKE_BACK (UINT32_C(1) << 24)
#define CSR_BROWN_OUT (UINT32_C(1) << 25)
#define CSR_PIN (UINT32_C(1) << 26)
#define CSR_POWER (UINT32_C(1) << 27)
#define CSR_SOFTWARE (UINT32_C(1) << 28)
#define CSR_WATCHDOGS (UINT32_C(3) << 29)

static rnn_edge_board_start started;

void rnn_edge_cause_begin(void) {
    const uint32_t flags = RCC_CSR;
    RCC_CSR |= CSR_TAKE_BACK;
    if ((flags & (CSR_POWER | CSR_BROWN_OUT)) != 0) {
        started = RNN_EDGE_START_POWER;
    } else if ((flags & CSR_WATCHDOGS) != 0) {
        started = RNN_EDGE_START_WATCHDOG;
    } else if ((flags & CSR_SOFTWARE) != 0) {
        started = RNN_EDGE_START_SOFTWARE;
    } else {
        started = (flags & CSR_PIN) != 0 ? RNN_EDGE_START_PIN : RNN_EDGE_START_UNKNOWN;
    }
}

void rnn_edge_cause_note(rnn_edge_board_start cause) {
    (void)cause;
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return started;
}
