/*
 * Counts an nRF52's clocks with a timer of 16 MHz, four of the processor's to a count: the timer of
 * the processor itself stands still while it sleeps.
 *
 * Source: Nordic, "nRF52840 Product Specification", "TIMER - Timer/counter".
 *
 * Numbers of the board: timer_base, timer_irq.
 */
#include "board/cortex_m.h"
#include "board/numbers.h"
#include "board/parts.h"
#include "rnn_edge_served.h"

#define TIMER(offset) RNN_EDGE_REGISTER(BOARD_TIMER_BASE + (offset))
#define TASKS_START TIMER(0x000)
#define TASKS_STOP TIMER(0x004)
#define TASKS_CLEAR TIMER(0x00C)
#define TASKS_CAPTURE_NOW TIMER(0x040)
#define EVENTS_COMPARE_ALARM TIMER(0x144)
#define INTENSET TIMER(0x304)
#define INTENCLR TIMER(0x308)
#define MODE TIMER(0x504)
#define BITMODE TIMER(0x508)
#define PRESCALER TIMER(0x510)
#define CC_NOW TIMER(0x540)
#define CC_ALARM TIMER(0x544)

#define ALARM_INTERRUPT (UINT32_C(1) << 17)

enum { AS_TIMER = 0, OF_32_BITS = 3, CLOCKS_OF_A_COUNT = 4, ALARM_AFTER = 16000000 / 4 };

static uint32_t start;

static uint32_t now(void) {
    TASKS_CAPTURE_NOW = 1;
    return CC_NOW;
}

void rnn_edge_ticks_begin(void) {
    TASKS_STOP = 1;
    TASKS_CLEAR = 1;
    MODE = AS_TIMER;
    BITMODE = OF_32_BITS;
    PRESCALER = 0;
    TASKS_START = 1;
}

void rnn_edge_platform_start_ticks(void) {
    start = now();
}

uint32_t rnn_edge_platform_ticks(void) {
    return CLOCKS_OF_A_COUNT * (now() - start);
}

void rnn_edge_alarm_begin(void) {
    EVENTS_COMPARE_ALARM = 0;
    CC_ALARM = now() + ALARM_AFTER;
    INTENSET = ALARM_INTERRUPT;
    rnn_edge_enable_interrupt(BOARD_TIMER_IRQ);
}

/* The interrupt was pending and never taken. */
void rnn_edge_alarm_end(void) {
    INTENCLR = ALARM_INTERRUPT;
    EVENTS_COMPARE_ALARM = 0;
    (void)EVENTS_COMPARE_ALARM;
    rnn_edge_forget_interrupt(BOARD_TIMER_IRQ);
}
