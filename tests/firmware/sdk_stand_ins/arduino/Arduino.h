/* What the sketch calls of an Arduino core; the first pause ends the program. */
#ifndef ARDUINO_STAND_IN_H
#define ARDUINO_STAND_IN_H

#include <cstdio>
#include <cstdlib>

struct SerialStandIn {
    void begin(unsigned long) {
    }
    void println(const char *line) {
        std::puts(line);
    }
};

static SerialStandIn Serial;

static inline void delay(unsigned long) {
    std::exit(0);
}

void setup();
void loop();

int main() {
    setup();
    for (;;) {
        loop();
    }
}

#endif
