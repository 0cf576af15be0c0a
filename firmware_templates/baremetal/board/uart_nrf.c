/*
 * The UART of Nordic's nRF51 and nRF52 without DMA.
 *
 * Source: Nordic, "nRF51 Series Reference Manual", chapter 29, and "nRF52840 Product
 * Specification", "UART - Universal asynchronous receiver/transmitter": the same registers.
 *
 * Numbers of the board: clock_hz, uart_base, uart_irq, uart_tx_pin, uart_rx_pin (of port 0),
 * uart_baud_code (of the register BAUDRATE), gpio_base.
 */
#include "board/cortex_m.h"
#include "board/numbers.h"
#include "board/parts.h"
#include "board/receive_ring.h"

#define UART(offset) RNN_EDGE_REGISTER(BOARD_UART_BASE + (offset))
#define TASKS_STARTRX UART(0x000)
#define TASKS_STARTTX UART(0x008)
#define EVENTS_RXDRDY UART(0x108)
#define EVENTS_TXDRDY UART(0x11C)
#define EVENTS_ERROR UART(0x124)
#define INTENSET UART(0x304)
#define ERRORSRC UART(0x480)
#define ENABLE UART(0x500)
#define PSELTXD UART(0x50C)
#define PSELRXD UART(0x514)
#define RXD UART(0x518)
#define TXD UART(0x51C)
#define BAUDRATE UART(0x524)

#define OUTSET RNN_EDGE_REGISTER(BOARD_GPIO_BASE + 0x508)
#define PIN_CNF(pin) RNN_EDGE_REGISTER(BOARD_GPIO_BASE + 0x700 + 4U * (pin))

enum {
    ENABLED = 4,
    PIN_OUTPUT = 3,        /* its input is disconnected */
    PIN_PULLED_INPUT = 12, /* a line that nobody drives would look like bytes */
    INTERRUPT_RECEIVED = 1 << 2,
    INTERRUPT_ERROR = 1 << 9,
    ERROR_OVERRUN = 1,
    /* An attempt takes more than four clocks; a byte takes less than a millisecond. */
    PATIENCE = BOARD_CLOCK_HZ / 1000
};

/* A byte that is read lets the next one of the six that wait come forward, with its own event: the
 * event is taken back before the byte is read, or the next one's would be. */
void rnn_edge_uart_interrupt(void) {
    if (EVENTS_ERROR != 0) {
        EVENTS_ERROR = 0;
        const uint32_t errors = ERRORSRC;
        ERRORSRC = errors;
        rnn_edge_ring_lose(errors & ERROR_OVERRUN);
    }
    while (EVENTS_RXDRDY != 0) {
        EVENTS_RXDRDY = 0;
        rnn_edge_ring_put((uint8_t)RXD);
    }
}

void rnn_edge_transport_begin(void) {
    /* The line rests at one while the UART is off. */
    OUTSET = UINT32_C(1) << BOARD_UART_TX_PIN;
    PIN_CNF(BOARD_UART_TX_PIN) = PIN_OUTPUT;
    PIN_CNF(BOARD_UART_RX_PIN) = PIN_PULLED_INPUT;
    PSELTXD = BOARD_UART_TX_PIN;
    PSELRXD = BOARD_UART_RX_PIN;
    BAUDRATE = BOARD_UART_BAUD_CODE;
    ENABLE = ENABLED;
    EVENTS_RXDRDY = 0;
    EVENTS_ERROR = 0;
    INTENSET = INTERRUPT_RECEIVED | INTERRUPT_ERROR;
    rnn_edge_enable_interrupt(BOARD_UART_IRQ);
    TASKS_STARTRX = 1;
    TASKS_STARTTX = 1;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        EVENTS_TXDRDY = 0;
        TXD = bytes[k];
        uint32_t left = PATIENCE;
        while (EVENTS_TXDRDY == 0) {
            if (--left == 0) {
                return false;
            }
        }
    }
    return true;
}
