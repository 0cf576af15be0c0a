#ifndef ZEPHYR_GPIO_STAND_IN_H
#define ZEPHYR_GPIO_STAND_IN_H

#include <zephyr/device.h>

struct gpio_dt_spec {
    int pin;
};

#define GPIO_OUTPUT_INACTIVE 1
#define GPIO_DT_SPEC_GET(node, property)                                                           \
    { 13 }

bool gpio_is_ready_dt(const struct gpio_dt_spec *spec);
int gpio_pin_configure_dt(const struct gpio_dt_spec *spec, uint32_t flags);
int gpio_pin_set_dt(const struct gpio_dt_spec *spec, int value);

#endif
