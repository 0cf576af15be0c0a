#ifndef HARDWARE_UART_STAND_IN_H
#define HARDWARE_UART_STAND_IN_H

#include "pico/stdlib.h"

typedef struct {
    int number;
} uart_inst_t;

extern uart_inst_t uart_stand_in;
#define uart_default (&uart_stand_in)

uint uart_init(uart_inst_t *uart, uint baudrate);
bool uart_is_readable(uart_inst_t *uart);
char uart_getc(uart_inst_t *uart);
void uart_write_blocking(uart_inst_t *uart, const uint8_t *src, size_t len);
void uart_set_irq_enables(uart_inst_t *uart, bool rx_has_data, bool tx_needs_data);

#endif
