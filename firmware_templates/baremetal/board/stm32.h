/*
 * What the families of the STM32 have alike. A family's header includes it and says where its ports
 * are: STM32_PORTS, the first one's address, and STM32_PORT_CLOCKS, the register that enables them.
 *
 * Source: ST, RM0090, RM0368, RM0390 and RM0433, "General-purpose I/Os".
 */
#ifndef RNN_EDGE_STM32_H
#define RNN_EDGE_STM32_H

#include <stdbool.h>

#include "board/cortex_m.h"

/* Ports are numbered from A. */
#define GPIO(port, offset) RNN_EDGE_REGISTER(STM32_PORTS + UINT32_C(0x400) * (port) + (offset))
#define GPIO_MODER(port) GPIO(port, 0x00)
#define GPIO_PUPDR(port) GPIO(port, 0x0C)
#define GPIO_BSRR(port) GPIO(port, 0x18)
#define GPIO_AFRL(port) GPIO(port, 0x20)
#define GPIO_AFRH(port) GPIO(port, 0x24)

enum { RNN_EDGE_PIN_OUTPUT = 1, RNN_EDGE_PIN_ALTERNATE = 2, RNN_EDGE_PULL_UP = 1 };

/* Sets the two bits of a pin. */
static inline void rnn_edge_set_pin(volatile uint32_t *where, uint32_t pin, uint32_t bits) {
    *where = (*where & ~(UINT32_C(3) << (2U * pin))) | (bits << (2U * pin));
}

/* Clocks a port; the first access may come some clocks later. */
#define rnn_edge_enable_port(port) rnn_edge_clock_port(&STM32_PORT_CLOCKS, port)

static inline void rnn_edge_clock_port(volatile uint32_t *clocks, uint32_t port) {
    *clocks |= UINT32_C(1) << port;
    (void)*clocks;
    rnn_edge_data_barrier();
}

/* Waits until all bits are set. False: they were not, in so many attempts. */
static inline bool rnn_edge_wait_for(volatile uint32_t *where, uint32_t bits, uint32_t patience) {
    for (uint32_t left = patience; left != 0; --left) {
        if ((*where & bits) == bits) {
            return true;
        }
    }
    return false;
}

#endif
