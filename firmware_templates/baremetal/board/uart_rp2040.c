/*
 * The first UART of an RP2040, Arm's PL011.
 *
 * Source: Arm, "PrimeCell UART (PL011) Technical Reference Manual" (DDI 0183); Raspberry Pi,
 * "RP2040 Datasheet", 4.2 "UART" and 2.19 "GPIO".
 *
 * Numbers of the board: uart_base, uart_irq, uart_clock_hz, uart_baud, uart_tx_pin, uart_rx_pin.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/receive_ring.h"
#include "board/rp2040.h"

#define UART(offset) RNN_EDGE_REGISTER(BOARD_UART_BASE + (offset))
#define DATA UART(0x00)
#define FLAGS UART(0x18)
#define INTEGER_RATE UART(0x24)
#define FRACTION_RATE UART(0x28)
#define LINE UART(0x2C)
#define CONTROL UART(0x30)
#define LEVELS UART(0x34)
#define INTERRUPTS UART(0x38)
#define CLEAR UART(0x44)

enum {
    DATA_LOST = 1 << 11, /* with the byte behind which one was */
    FLAG_NOTHING_RECEIVED = 1 << 4,
    FLAG_CANNOT_SEND = 1 << 5,
    LINE_8N1_WITH_FIFOS = 0x70,
    CONTROL_ENABLED_BOTH_WAYS = 0x301,
    LEVEL_RECEIVED_AN_EIGHTH = 0,
    /* The level is reached, or nothing more came for 32 bits. */
    INTERRUPT_RECEIVED = (1 << 4) | (1 << 6),
    FUNCTION_UART = 2,
    PAD_PULLED_UP = 0x5A, /* as after a restart, but not down */
    /* Sixteen samples of a bit, in 64ths. */
    RATE = (4 * BOARD_UART_CLOCK_HZ + BOARD_UART_BAUD / 2) / BOARD_UART_BAUD,
    /* A byte takes 10 bits of the clock that the processor has too. */
    PATIENCE = 20 * (BOARD_UART_CLOCK_HZ / BOARD_UART_BAUD)
};

/* The interrupt of what came is there until the buffer holds less than the level or nothing. */
void rnn_edge_uart_interrupt(void) {
    CLEAR = INTERRUPT_RECEIVED;
    while ((FLAGS & FLAG_NOTHING_RECEIVED) == 0) {
        const uint32_t came = DATA;
        if ((came & DATA_LOST) != 0) {
            rnn_edge_ring_lose(1);
        }
        rnn_edge_ring_put((uint8_t)came);
    }
}

void rnn_edge_transport_begin(void) {
    rnn_edge_release(RNN_EDGE_RESET_IO_BANK0 | RNN_EDGE_RESET_PADS_BANK0);
    SETTING(RESETS) = RNN_EDGE_RESET_UART0;
    rnn_edge_release(RNN_EDGE_RESET_UART0);
    INTEGER_RATE = RATE / 64;
    FRACTION_RATE = RATE % 64;
    LINE = LINE_8N1_WITH_FIFOS;
    LEVELS = LEVEL_RECEIVED_AN_EIGHTH;
    INTERRUPTS = INTERRUPT_RECEIVED;
    CONTROL = CONTROL_ENABLED_BOTH_WAYS;
    PAD(BOARD_UART_RX_PIN) = PAD_PULLED_UP;
    GPIO_CTRL(BOARD_UART_TX_PIN) = FUNCTION_UART;
    GPIO_CTRL(BOARD_UART_RX_PIN) = FUNCTION_UART;
    rnn_edge_enable_interrupt(BOARD_UART_IRQ);
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        uint32_t left = PATIENCE;
        while ((FLAGS & FLAG_CANNOT_SEND) != 0) {
            if (--left == 0) {
                return false;
            }
        }
        DATA = bytes[k];
    }
    return true;
}
