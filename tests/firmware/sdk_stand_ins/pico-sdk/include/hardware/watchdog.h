#ifndef HARDWARE_WATCHDOG_STAND_IN_H
#define HARDWARE_WATCHDOG_STAND_IN_H

#include "pico/stdlib.h"

void watchdog_enable(uint32_t delay_ms, bool pause_on_debug);
void watchdog_update(void);
void watchdog_reboot(uint32_t pc, uint32_t sp, uint32_t delay_ms);
bool watchdog_caused_reboot(void);
bool watchdog_enable_caused_reboot(void);

#endif
