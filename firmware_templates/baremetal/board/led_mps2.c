/*
 * The first of the two LEDs that the FPGA of an MPS2 or MPS3 board switches.
 *
 * Source: Arm, "Application Note AN386", "FPGA system control and I/O": the register LED0 is the
 * first one.
 *
 * Numbers of the board: fpgaio_base.
 */
#include "board/cortex_m.h"
#include "board/numbers.h"
#include "board/parts.h"

#define LEDS RNN_EDGE_REGISTER(BOARD_FPGAIO_BASE)

void rnn_edge_led_begin(void) {
    LEDS = 0;
}

void rnn_edge_board_show(bool is_detected) {
    LEDS = is_detected ? 1 : 0;
}
