/*
 * A USART of the STM32H743.
 *
 * Source: ST, RM0433, "Universal synchronous/asynchronous receiver transmitter (USART/UART)".
 *
 * Numbers of the board: uart_base, uart_irq, uart_enable_bit (of RCC_APB1LENR), uart_clock_hz,
 * uart_baud, uart_port (A is 0), uart_tx_pin, uart_rx_pin (8..15), uart_alternate.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/receive_ring.h"
#include "board/stm32h7.h"

#define UART(offset) RNN_EDGE_REGISTER(BOARD_UART_BASE + (offset))
#define CONTROL UART(0x00)
#define RATE UART(0x0C)
#define STATE UART(0x1C)
#define TAKE_BACK UART(0x20)
#define RECEIVED UART(0x24)
#define SENT UART(0x28)

enum {
    STATE_LOST = 1 << 3,
    STATE_RECEIVED = 1 << 5,
    STATE_CAN_SEND = 1 << 7,
    CONTROL_ENABLED = 1 << 0,
    CONTROL_RECEIVE = 1 << 2,
    CONTROL_SEND = 1 << 3,
    CONTROL_RECEIVE_INTERRUPT = 1 << 5,
    CLOCKS_OF_A_BIT = (BOARD_UART_CLOCK_HZ + BOARD_UART_BAUD / 2) / BOARD_UART_BAUD,
    /* A byte takes 10 bits of clocks of the bus; the processor's are four times as many, and an
     * attempt takes several. */
    PATIENCE = 20 * CLOCKS_OF_A_BIT
};

void rnn_edge_uart_interrupt(void) {
    if ((STATE & STATE_LOST) != 0) {
        TAKE_BACK = STATE_LOST;
        rnn_edge_ring_lose(1);
    }
    while ((STATE & STATE_RECEIVED) != 0) {
        rnn_edge_ring_put((uint8_t)RECEIVED);
    }
}

static void connect(uint32_t pin) {
    volatile uint32_t *const function = &GPIO_AFRH(BOARD_UART_PORT);
    const uint32_t shift = 4U * (pin - 8U);
    *function = (*function & ~(UINT32_C(15) << shift)) | (BOARD_UART_ALTERNATE << shift);
    rnn_edge_set_pin(&GPIO_MODER(BOARD_UART_PORT), pin, RNN_EDGE_PIN_ALTERNATE);
}

void rnn_edge_transport_begin(void) {
    rnn_edge_enable_port(BOARD_UART_PORT);
    RCC_APB1LENR |= UINT32_C(1) << BOARD_UART_ENABLE_BIT;
    (void)RCC_APB1LENR;
    rnn_edge_data_barrier();
    rnn_edge_set_pin(&GPIO_PUPDR(BOARD_UART_PORT), BOARD_UART_RX_PIN, RNN_EDGE_PULL_UP);
    connect(BOARD_UART_TX_PIN);
    connect(BOARD_UART_RX_PIN);
    RATE = CLOCKS_OF_A_BIT;
    CONTROL = CONTROL_ENABLED | CONTROL_SEND | CONTROL_RECEIVE | CONTROL_RECEIVE_INTERRUPT;
    rnn_edge_enable_interrupt(BOARD_UART_IRQ);
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        uint32_t left = PATIENCE;
        while ((STATE & STATE_CAN_SEND) == 0) {
            if (--left == 0) {
                return false;
            }
        }
        SENT = bytes[k];
    }
    return true;
}
