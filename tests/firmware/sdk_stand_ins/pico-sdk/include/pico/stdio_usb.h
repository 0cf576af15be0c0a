/* USB as standard input and output. */
#ifndef PICO_STDIO_USB_STAND_IN_H
#define PICO_STDIO_USB_STAND_IN_H

#include "pico/stdlib.h"

typedef struct {
    void (*out_chars)(const char *buf, int len);
    int (*in_chars)(char *buf, int len);
} stdio_driver_t;

extern stdio_driver_t stdio_usb;

static inline bool stdio_usb_connected(void) {
    return true;
}

#endif
