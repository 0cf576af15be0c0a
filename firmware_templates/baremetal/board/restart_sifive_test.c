/*
 * Starts QEMU's virt board again.
 *
 * Source: QEMU, hw/misc/sifive_test: the device's one register and what it takes.
 *
 * Numbers of the board: test_base.
 */
#include "board/numbers.h"
#include "board/parts.h"

#define TEST (*(volatile uint32_t *)(uintptr_t)BOARD_TEST_BASE)
#define RESTART UINT32_C(0x7777)

_Noreturn void rnn_edge_board_restart(void) {
    rnn_edge_cause_note(RNN_EDGE_START_SOFTWARE);
    __asm__ volatile("fence" ::: "memory");
    TEST = RESTART;
    for (;;) {
    }
}
