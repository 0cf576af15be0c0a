/*
 * The UART of Arm's Cortex-M System Design Kit, as on the MPS2 and MPS3 boards.
 *
 * Source: Arm, "Cortex-M System Design Kit Technical Reference Manual" (DDI 0479), "APB UART".
 *
 * Numbers of the board: uart_base, uart_irq (received), uart_clock_hz, uart_baud.
 */
#include "board/cortex_m.h"
#include "board/numbers.h"
#include "board/parts.h"
#include "board/receive_ring.h"

typedef struct {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupts; /* reading: which are there; writing ones: takes them back */
    volatile uint32_t divider;    /* clocks of a bit, 16 or more */
} uart;

enum {
    STATE_CANNOT_SEND = 1,
    STATE_RECEIVED = 2,
    STATE_LOST = 8, /* a byte came before the one before was read; writing a one clears it */
    CONTROL_SEND = 1,
    CONTROL_RECEIVE = 2,
    CONTROL_RECEIVE_INTERRUPT = 8,
    INTERRUPT_RECEIVED = 2,
    /* A byte takes 10 bits; an attempt takes more than a clock, so this is beyond two bytes. */
    PATIENCE = 20 * (BOARD_UART_CLOCK_HZ / BOARD_UART_BAUD)
};

static uart *const port = (uart *)BOARD_UART_BASE;

void rnn_edge_uart_interrupt(void) {
    port->interrupts = INTERRUPT_RECEIVED;
    if ((port->state & STATE_LOST) != 0) {
        port->state = STATE_LOST;
        rnn_edge_ring_lose(1);
    }
    while ((port->state & STATE_RECEIVED) != 0) {
        rnn_edge_ring_put((uint8_t)port->data);
    }
}

void rnn_edge_transport_begin(void) {
    port->divider = BOARD_UART_CLOCK_HZ / BOARD_UART_BAUD;
    port->control = CONTROL_SEND | CONTROL_RECEIVE | CONTROL_RECEIVE_INTERRUPT;
    rnn_edge_enable_interrupt(BOARD_UART_IRQ);
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        uint32_t left = PATIENCE;
        while ((port->state & STATE_CANNOT_SEND) != 0) {
            if (--left == 0) {
                return false;
            }
        }
        port->data = bytes[k];
    }
    return true;
}
