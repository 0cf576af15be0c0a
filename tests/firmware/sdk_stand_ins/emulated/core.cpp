/*
 * The first UART of an MPS2 board.
 *
 * Source: Arm, "Cortex-M System Design Kit Technical Reference Manual" (DDI 0479), APB UART.
 */
#include <Arduino.h>

struct Uart {
    volatile uint32_t data;
    volatile uint32_t state; // bit 0: no room to send, bit 1: a byte has come
    volatile uint32_t control;
    volatile uint32_t interrupts;
    volatile uint32_t divider;
};

static Uart *const uart = reinterpret_cast<Uart *>(0x40004000u);

SerialStandIn Serial;

void SerialStandIn::begin(unsigned long) {
    uart->divider = 16;
    uart->control = 3;
}

int SerialStandIn::available() {
    return static_cast<int>((uart->state >> 1) & 1u);
}

int SerialStandIn::read() {
    return static_cast<int>(uart->data & 0xFFu);
}

size_t SerialStandIn::write(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        while ((uart->state & 1u) != 0) {
        }
        uart->data = bytes[k];
    }
    return count;
}

SerialStandIn::operator bool() {
    return true;
}

void yield() {
}

int main() {
    setup();
    for (;;) {
        loop();
    }
}
