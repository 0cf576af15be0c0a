/* An Arduino core on standard input and output. */
#include <Arduino.h>
#include <cstdio>
#include <cstdlib>

#if defined(ARDUINO_ARCH_ESP32)
#include <esp_system.h>

EspStandIn ESP;

uint32_t EspStandIn::getCycleCount() {
    return 0;
}

void EspStandIn::restart() {
    std::exit(77);
}

extern "C" esp_reset_reason_t esp_reset_reason(void) {
    return ESP_RST_EXT;
}
#endif

#include "line_stand_in.h"

SerialStandIn Serial;

static uint8_t received[64];
static size_t count;
static size_t at;

void SerialStandIn::begin(unsigned long rate) {
    if (rate != 115200) {
        std::abort();
    }
}

void SerialStandIn::println(const char *line) {
    std::puts(line);
}

int SerialStandIn::available() {
    if (at == count) {
        at = 0;
        count = line_read(received, sizeof received);
    }
    return static_cast<int>(count - at);
}

int SerialStandIn::read() {
    return available() > 0 ? received[at++] : -1;
}

size_t SerialStandIn::write(const uint8_t *bytes, size_t length) {
    line_write(bytes, length);
    return length;
}

SerialStandIn::operator bool() {
    return true;
}

void pinMode(uint8_t, uint8_t) {
}

void digitalWrite(uint8_t, uint8_t) {
}

void delay(unsigned long) {
    std::exit(0);
}

void yield() {
    (void)line_has_bytes(1);
}

int main() {
    setup();
    for (;;) {
        loop();
    }
}
