/*
 * The watchdog of an RP2040, which restarts all but its oscillators. It counts two for each
 * microsecond: at most 8.3 s.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 4.7 "Watchdog", 2.13 "Power-On State Machine", register
 * WDSEL, and the erratum RP2040-E1.
 */
#include "board/parts.h"
#include "board/rp2040.h"

#define LOAD RNN_EDGE_REGISTER(0x40058004)
#define PSM_WDSEL RNN_EDGE_REGISTER(0x40010008)
#define ALL_BUT_OSCILLATORS UINT32_C(0x0001FFFC)
#define LARGEST UINT32_C(0x00FFFFFF)

enum { COUNTS_OF_A_MS = 2000 };

static uint32_t load;

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    if (timeout_ms > LARGEST / COUNTS_OF_A_MS) {
        return false;
    }
    load = COUNTS_OF_A_MS * timeout_ms;
    PSM_WDSEL = ALL_BUT_OSCILLATORS;
    LOAD = load;
    SETTING(WATCHDOG_CTRL) = WATCHDOG_ENABLE;
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    LOAD = load;
}
