/* What the sketches call of Mbed. */
#ifndef MBED_STAND_IN_H
#define MBED_STAND_IN_H

#include <stdint.h>

#define DEVICE_RESET_REASON 1

typedef enum {
    RESET_REASON_POWER_ON,
    RESET_REASON_PIN_RESET,
    RESET_REASON_BROWN_OUT,
    RESET_REASON_SOFTWARE,
    RESET_REASON_WATCHDOG,
    RESET_REASON_UNKNOWN
} reset_reason_t;

namespace mbed {
class Watchdog {
  public:
    static Watchdog &get_instance();
    bool start(uint32_t timeout);
    void kick();
};

class ResetReason {
  public:
    static reset_reason_t get();
};
} // namespace mbed

#endif
