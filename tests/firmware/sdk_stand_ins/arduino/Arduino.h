/* What the sketches call of an Arduino core; a pause ends the program. */
#ifndef ARDUINO_STAND_IN_H
#define ARDUINO_STAND_IN_H

#include <stddef.h>
#include <stdint.h>

#define HIGH 1
#define LOW 0
#define OUTPUT 1
#define LED_BUILTIN 13

class SerialStandIn {
  public:
    void begin(unsigned long rate);
    void println(const char *line);
    int available();
    int read();
    size_t write(const uint8_t *bytes, size_t count);
    explicit operator bool();
};

extern SerialStandIn Serial;

void pinMode(uint8_t pin, uint8_t mode);
void digitalWrite(uint8_t pin, uint8_t value);
void delay(unsigned long ms);
void yield();

#if defined(ARDUINO_ARCH_ESP32)
class EspStandIn {
  public:
    uint32_t getCycleCount();
    void restart();
};

extern EspStandIn ESP;
#endif

void setup();
void loop();

#endif
