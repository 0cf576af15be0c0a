#ifndef HARDWARE_IRQ_STAND_IN_H
#define HARDWARE_IRQ_STAND_IN_H

#include "pico/stdlib.h"

enum { UART0_IRQ = 20, UART1_IRQ = 21 };

typedef void (*irq_handler_t)(void);

void irq_set_exclusive_handler(uint num, irq_handler_t handler);
void irq_set_enabled(uint num, bool enabled);

#endif
