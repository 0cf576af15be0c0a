/*
 * An LED between a pin of an RP2040 and ground.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 2.3.1 "SIO", 2.19 "GPIO".
 *
 * Numbers of the board: led_pin.
 */
#include "board/numbers.h"
#include "board/parts.h"
#include "board/rp2040.h"

#define OUT_SET RNN_EDGE_REGISTER(0xD0000014)
#define OUT_CLEAR RNN_EDGE_REGISTER(0xD0000018)
#define ENABLE_SET RNN_EDGE_REGISTER(0xD0000024)
#define LED (UINT32_C(1) << BOARD_LED_PIN)

enum { FUNCTION_SIO = 5 };

void rnn_edge_led_begin(void) {
    rnn_edge_release(RNN_EDGE_RESET_IO_BANK0 | RNN_EDGE_RESET_PADS_BANK0);
    OUT_CLEAR = LED;
    ENABLE_SET = LED;
    GPIO_CTRL(BOARD_LED_PIN) = FUNCTION_SIO;
}

void rnn_edge_board_show(bool is_detected) {
    if (is_detected) {
        OUT_SET = LED;
    } else {
        OUT_CLEAR = LED;
    }
}
