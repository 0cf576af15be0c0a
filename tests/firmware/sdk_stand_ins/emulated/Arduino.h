/* What the sketch calls of an Arduino core, on an MPS2 board. */
#ifndef ARDUINO_STAND_IN_H
#define ARDUINO_STAND_IN_H

#include <stddef.h>
#include <stdint.h>

class SerialStandIn {
  public:
    void begin(unsigned long rate);
    int available();
    int read();
    size_t write(const uint8_t *bytes, size_t count);
    explicit operator bool();
};

extern SerialStandIn Serial;

void yield();
void setup();
void loop();

#endif
