/*
 * Sleeps until the UART has a byte. The interrupt is never taken: that one is pending ends the
 * waiting, and asking the controller for its number and giving it back lets it come again.
 *
 * Source: The RISC-V Instruction Set Manual, volume II, "Wait for Interrupt"; "RISC-V
 * Platform-Level Interrupt Controller Specification", the memory map for the first context.
 *
 * Numbers of the board: plic_base, uart_irq.
 */
#include "board/numbers.h"
#include "board/parts.h"

#define PLIC(offset) (*(volatile uint32_t *)(uintptr_t)(BOARD_PLIC_BASE + (offset)))
#define PRIORITY PLIC(4U * BOARD_UART_IRQ)
#define ENABLED PLIC(0x2000U + 4U * (BOARD_UART_IRQ / 32U))
#define NUMBER PLIC(0x200004U)

enum { EXTERNAL_INTERRUPT = 1 << 11 };

void rnn_edge_board_idle(void) {
    if (!rnn_edge_nothing_received()) {
        return;
    }
    PRIORITY = 1;
    ENABLED = UINT32_C(1) << (BOARD_UART_IRQ % 32U);
    __asm__ volatile("csrs mie, %0" ::"r"(EXTERNAL_INTERRUPT) : "memory");
    __asm__ volatile("wfi" ::: "memory");
    const uint32_t number = NUMBER;
    if (number != 0) {
        NUMBER = number;
    }
}
