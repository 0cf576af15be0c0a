/*
 * The watchdog of an nRF52: it counts 32,768 Hz down, also while the processor sleeps, and not
 * while a debugger holds it.
 *
 * Source: Nordic, "nRF52840 Product Specification", "WDT - Watchdog timer"; "POWER", "Reset
 * behavior"; "CLOCK", tolerance of the oscillator on the chip, 5 % uncalibrated.
 */
#include "board/cortex_m.h"
#include "board/parts.h"

#define WDT(offset) RNN_EDGE_REGISTER(UINT32_C(0x40010000) + (offset))
#define TASKS_START WDT(0x000)
#define CRV WDT(0x504)
#define RREN WDT(0x508)
#define CONFIG WDT(0x50C)
#define RR0 WDT(0x600)

#define FEED UINT32_C(0x6E524635)

enum {
    FIRST_RELOAD_REGISTER = 1,
    RUN_WHILE_ASLEEP = 1,
    LEAST_COUNT = 15,
    FASTEST_HZ = 32768 + 32768 / 20
};

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    const uint64_t count = (uint64_t)timeout_ms * FASTEST_HZ / 1000 + LEAST_COUNT;
    if (count > UINT32_MAX) {
        return false;
    }
    /* The registers take nothing more once it runs, and it runs on over a start that the program
     * asked for: then it only has to be fed. */
    CONFIG = RUN_WHILE_ASLEEP;
    RREN = FIRST_RELOAD_REGISTER;
    CRV = (uint32_t)count;
    TASKS_START = 1;
    rnn_edge_board_feed_watchdog();
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    RR0 = FEED;
}
