/* What the examples call of the Pico SDK; a long pause ends the program. */
#ifndef PICO_STDLIB_STAND_IN_H
#define PICO_STDLIB_STAND_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned int uint;

#define PICO_RP2040 1
#define PICO_DEFAULT_LED_PIN 25
#define PICO_DEFAULT_UART 0
#define PICO_DEFAULT_UART_TX_PIN 0
#define PICO_DEFAULT_UART_RX_PIN 1
#define PICO_FLASH_SIZE_BYTES (2 * 1024 * 1024)
#define __uninitialized_ram(group) __attribute__((section(".uninitialized_data." #group))) group

void stdio_init_all(void);
void sleep_ms(uint32_t ms);
void sleep_us(uint64_t us);

#endif
