#ifndef HARDWARE_GPIO_STAND_IN_H
#define HARDWARE_GPIO_STAND_IN_H

#include "pico/stdlib.h"

enum { GPIO_OUT = 1, GPIO_FUNC_UART = 2 };

void gpio_init(uint gpio);
void gpio_set_dir(uint gpio, bool out);
void gpio_put(uint gpio, bool value);
void gpio_set_function(uint gpio, int function);

#endif
