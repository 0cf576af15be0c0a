/*
 * The clock of an nRF52: 64 MHz from the crystal of 32 MHz, which the UART needs to be exact, and
 * the cache of the flash.
 *
 * Source: Nordic, "nRF52840 Product Specification", "CLOCK - Clock control", tasks and events of
 * the high-frequency clock; "NVMC - Non-volatile memory controller", register ICACHECNF.
 *
 * Numbers of the board: none.
 */
#include "board/cortex_m.h"
#include "board/parts.h"

#define TASKS_HFCLKSTART RNN_EDGE_REGISTER(0x40000000)
#define EVENTS_HFCLKSTARTED RNN_EDGE_REGISTER(0x40000100)
#define ICACHECNF RNN_EDGE_REGISTER(0x4001E540)

/* The crystal takes less than a millisecond; the clock on the chip runs on without it. */
enum { PATIENCE = 100000 };

void rnn_edge_clock_begin(void) {
    ICACHECNF = 1;
    EVENTS_HFCLKSTARTED = 0;
    TASKS_HFCLKSTART = 1;
    for (uint32_t left = PATIENCE; left != 0 && EVENTS_HFCLKSTARTED == 0; --left) {
    }
}
