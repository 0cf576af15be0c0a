/*
 * Why an nRF52 started, as its register says.
 *
 * Source: Nordic, "nRF52840 Product Specification", "POWER - Power supply", register RESETREAS:
 * bits add up until a one is written to them; none is set where power came.
 */
#include "board/cortex_m.h"
#include "board/parts.h"

#define RESETREAS RNN_EDGE_REGISTER(0x40000400)

enum { PIN = 1, WATCHDOG = 2, SOFTWARE = 4 };

static rnn_edge_board_start started;

void rnn_edge_cause_begin(void) {
    const uint32_t reasons = RESETREAS;
    RESETREAS = reasons;
    if (reasons == 0) {
        started = RNN_EDGE_START_POWER;
    } else if ((reasons & WATCHDOG) != 0) {
        started = RNN_EDGE_START_WATCHDOG;
    } else if ((reasons & SOFTWARE) != 0) {
        started = RNN_EDGE_START_SOFTWARE;
    } else {
        started = (reasons & PIN) != 0 ? RNN_EDGE_START_PIN : RNN_EDGE_START_UNKNOWN;
    }
}

void rnn_edge_cause_note(rnn_edge_board_start cause) {
    (void)cause;
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return started;
}
