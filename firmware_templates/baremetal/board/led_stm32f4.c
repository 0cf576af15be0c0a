/*
 * An LED between a pin of an STM32F4 and ground.
 *
 * Source: ST, RM0090, RM0368 and RM0390, "GPIO port bit set/reset register".
 *
 * Numbers of the board: led_port (A is 0), led_pin.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/stm32f4.h"

void rnn_edge_led_begin(void) {
    rnn_edge_enable_port(BOARD_LED_PORT);
    rnn_edge_board_show(false);
    rnn_edge_set_pin(&GPIO_MODER(BOARD_LED_PORT), BOARD_LED_PIN, RNN_EDGE_PIN_OUTPUT);
}

void rnn_edge_board_show(bool is_detected) {
    GPIO_BSRR(BOARD_LED_PORT) = UINT32_C(1) << (is_detected ? BOARD_LED_PIN : BOARD_LED_PIN + 16U);
}
