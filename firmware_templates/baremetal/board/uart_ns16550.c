/*
 * The UART NS16550, asked for its bytes: on QEMU's virt board, which holds back what the UART has
 * no room for, so that nothing is lost while the model steps.
 *
 * Source: National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with
 * FIFOs".
 *
 * Numbers of the board: uart_base.
 */
#include "board/numbers.h"
#include "board/parts.h"

typedef struct {
    volatile uint8_t data;
    volatile uint8_t interrupts;
    volatile uint8_t fifo;
    volatile uint8_t line;
    volatile uint8_t modem;
    volatile uint8_t state;
} uart;

enum {
    INTERRUPT_RECEIVED = 1,
    FIFO_ENABLED_AND_EMPTY = 7,
    LINE_8N1 = 3,
    STATE_RECEIVED = 0x01,
    STATE_LOST = 0x02, /* reading the state takes it back */
    STATE_CAN_SEND = 0x20,
    /* An emulated byte takes no time. */
    PATIENCE = 1000000
};

static uart *const port = (uart *)BOARD_UART_BASE;
/* Volatile as the registers are: gcc 12 moves a plain variable out of the loop that sends, and
 * repeats the last byte there. */
static volatile uint32_t lost;

static uint8_t state(void) {
    const uint8_t now = port->state;
    lost += (now & STATE_LOST) != 0 ? 1 : 0;
    return now;
}

void rnn_edge_transport_begin(void) {
    port->line = LINE_8N1;
    port->fifo = FIFO_ENABLED_AND_EMPTY;
    /* The processor does not take the interrupt: it only ends its waiting. */
    port->interrupts = INTERRUPT_RECEIVED;
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    size_t count = 0;
    while (count < capacity && (state() & STATE_RECEIVED) != 0) {
        to[count++] = port->data;
    }
    return count;
}

uint32_t rnn_edge_board_lost(void) {
    return lost;
}

bool rnn_edge_nothing_received(void) {
    return (state() & STATE_RECEIVED) == 0;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        uint32_t left = PATIENCE;
        while ((state() & STATE_CAN_SEND) == 0) {
            if (--left == 0) {
                return false;
            }
        }
        port->data = bytes[k];
    }
    return true;
}
