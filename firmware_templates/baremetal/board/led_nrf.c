/*
 * An LED between a pin of an nRF51 or nRF52 and its supply: on while the pin is low.
 *
 * Source: Nordic, "nRF52840 Product Specification", "GPIO - General purpose input/output".
 *
 * Numbers of the board: gpio_base, led_pin (of port 0).
 */
#include "board/cortex_m.h"
#include "board/numbers.h"
#include "board/parts.h"

#define OUTSET RNN_EDGE_REGISTER(BOARD_GPIO_BASE + 0x508)
#define OUTCLR RNN_EDGE_REGISTER(BOARD_GPIO_BASE + 0x50C)
#define DIRSET RNN_EDGE_REGISTER(BOARD_GPIO_BASE + 0x518)
#define LED (UINT32_C(1) << BOARD_LED_PIN)

void rnn_edge_led_begin(void) {
    OUTSET = LED;
    DIRSET = LED;
}

void rnn_edge_board_show(bool is_detected) {
    if (is_detected) {
        OUTCLR = LED;
    } else {
        OUTSET = LED;
    }
}
