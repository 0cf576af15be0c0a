/*
 * A USART of the STM32F4.
 *
 * Source: ST, RM0090, RM0368 and RM0390, "Universal synchronous asynchronous receiver transmitter":
 * status, data, baud rate and control registers. Reading the status and then the data takes back
 * both that a byte has come and that one was lost.
 *
 * Numbers of the board: uart_base, uart_irq, uart_enable_bit (of RCC_APB1ENR), uart_clock_hz,
 * uart_baud, uart_port (A is 0), uart_tx_pin, uart_rx_pin (0..7), uart_alternate.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/receive_ring.h"
#include "board/stm32f4.h"

typedef struct {
    volatile uint32_t state;
    volatile uint32_t data;
    volatile uint32_t rate;
    volatile uint32_t control;
} uart;

enum {
    STATE_LOST = 1 << 3,
    STATE_RECEIVED = 1 << 5,
    STATE_CAN_SEND = 1 << 7,
    CONTROL_RECEIVE = 1 << 2,
    CONTROL_SEND = 1 << 3,
    CONTROL_RECEIVE_INTERRUPT = 1 << 5,
    CONTROL_ENABLED = 1 << 13,
    /* Sixteen samples of a bit; the register has a sixteenth of a divider as its unit. */
    RATE = (BOARD_UART_CLOCK_HZ + BOARD_UART_BAUD / 2) / BOARD_UART_BAUD,
    /* A byte takes 10 bits of RATE clocks of the bus; the processor's are at most four times as
     * many, and an attempt takes several. */
    PATIENCE = 20 * RATE
};

static uart *const port = (uart *)BOARD_UART_BASE;

void rnn_edge_uart_interrupt(void) {
    for (;;) {
        const uint32_t state = port->state;
        if ((state & (STATE_RECEIVED | STATE_LOST)) == 0) {
            return;
        }
        const uint8_t byte = (uint8_t)port->data;
        if ((state & STATE_LOST) != 0) {
            rnn_edge_ring_lose(1);
        }
        if ((state & STATE_RECEIVED) != 0) {
            rnn_edge_ring_put(byte);
        }
    }
}

static void connect(uint32_t pin) {
    volatile uint32_t *const function = &GPIO_AFRL(BOARD_UART_PORT);
    *function = (*function & ~(UINT32_C(15) << (4U * pin))) | (BOARD_UART_ALTERNATE << (4U * pin));
    rnn_edge_set_pin(&GPIO_MODER(BOARD_UART_PORT), pin, RNN_EDGE_PIN_ALTERNATE);
}

void rnn_edge_transport_begin(void) {
    rnn_edge_enable_port(BOARD_UART_PORT);
    RCC_APB1ENR |= UINT32_C(1) << BOARD_UART_ENABLE_BIT;
    (void)RCC_APB1ENR;
    rnn_edge_data_barrier();
    /* A line that nobody drives would look like bytes. */
    rnn_edge_set_pin(&GPIO_PUPDR(BOARD_UART_PORT), BOARD_UART_RX_PIN, RNN_EDGE_PULL_UP);
    connect(BOARD_UART_TX_PIN);
    connect(BOARD_UART_RX_PIN);
    port->rate = RATE;
    port->control = CONTROL_ENABLED | CONTROL_SEND | CONTROL_RECEIVE | CONTROL_RECEIVE_INTERRUPT;
    rnn_edge_enable_interrupt(BOARD_UART_IRQ);
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        uint32_t left = PATIENCE;
        while ((port->state & STATE_CAN_SEND) == 0) {
            if (--left == 0) {
                return false;
            }
        }
        port->data = bytes[k];
    }
    return true;
}
