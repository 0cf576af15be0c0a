#ifndef HARDWARE_SYNC_STAND_IN_H
#define HARDWARE_SYNC_STAND_IN_H

#include "pico/stdlib.h"

uint32_t save_and_disable_interrupts(void);
void restore_interrupts(uint32_t status);

#endif
