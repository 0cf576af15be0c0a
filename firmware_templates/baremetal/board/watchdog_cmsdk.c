/*
 * The watchdog of Arm's Cortex-M System Design Kit: it counts down from its load, asks for an
 * interrupt at zero and, when it comes to zero again, for a restart. Each half has half the time.
 *
 * Source: Arm, "Cortex-M System Design Kit Technical Reference Manual" (DDI 0479), "APB watchdog".
 *
 * Numbers of the board: watchdog_base, watchdog_clock_hz, watchdog_warns_by_nmi (1).
 */
#include "board/cortex_m.h"
#include "board/numbers.h"
#include "board/parts.h"

#define WATCHDOG(offset) RNN_EDGE_REGISTER(BOARD_WATCHDOG_BASE + (offset))
#define LOAD WATCHDOG(0x000)
#define CONTROL WATCHDOG(0x008)
#define CLEAR WATCHDOG(0x00C)
#define LOCK WATCHDOG(0xC00)

#define KEY UINT32_C(0x1ACCE551)
#define COUNT_AND_RESTART UINT32_C(3)
#define MOST_MS (UINT32_MAX / (BOARD_WATCHDOG_CLOCK_HZ / 1000))

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    const uint32_t half_ms = timeout_ms / 2 + 1;
    if (half_ms > MOST_MS) {
        return false;
    }
    rnn_edge_cause_note(RNN_EDGE_START_WATCHDOG);
    LOCK = KEY;
    LOAD = half_ms * (BOARD_WATCHDOG_CLOCK_HZ / 1000);
    CONTROL = COUNT_AND_RESTART;
    LOCK = 0;
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    LOCK = KEY;
    CLEAR = 1;
    LOCK = 0;
}
