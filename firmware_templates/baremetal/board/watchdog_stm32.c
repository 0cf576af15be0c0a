/*
 * The independent watchdog of the STM32: an oscillator of its own counts it down.
 *
 * Source: ST, RM0090, RM0368, RM0390 and RM0433, "Independent watchdog". The datasheets give the
 * oscillator 17 to 47 kHz (DS10086, "LSI oscillator characteristics"): counted for the fastest, so
 * that nothing restarts early.
 *
 * Numbers of the board: watchdog_base, watchdog_most_khz.
 */
#include "board/cortex_m.h"
#include "board/numbers.h"
#include "board/parts.h"

#define WATCHDOG(offset) RNN_EDGE_REGISTER(BOARD_WATCHDOG_BASE + (offset))
#define KEY WATCHDOG(0x00)
#define PRESCALER WATCHDOG(0x04)
#define RELOAD WATCHDOG(0x08)

enum { START = 0xCCCC, UNLOCK = 0x5555, FEED = 0xAAAA, MOST_RELOAD = 0xFFF, MOST_PRESCALER = 6 };

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    /* Four clocks to a count, and twice as many with each step of the prescaler. */
    const uint64_t clocks = (uint64_t)timeout_ms * BOARD_WATCHDOG_MOST_KHZ;
    uint32_t prescaler = 0;
    while (prescaler <= MOST_PRESCALER && clocks >> (prescaler + 2) >= MOST_RELOAD) {
        ++prescaler;
    }
    if (prescaler > MOST_PRESCALER) {
        return false;
    }
    /* The registers take a new value some clocks later; the watchdog runs with the longest time
     * until then. */
    KEY = START;
    KEY = UNLOCK;
    PRESCALER = prescaler;
    RELOAD = (uint32_t)(clocks >> (prescaler + 2)) + 1;
    KEY = FEED;
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    KEY = FEED;
}
