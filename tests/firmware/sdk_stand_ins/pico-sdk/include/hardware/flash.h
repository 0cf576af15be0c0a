#ifndef HARDWARE_FLASH_STAND_IN_H
#define HARDWARE_FLASH_STAND_IN_H

#include "pico/stdlib.h"

#define FLASH_PAGE_SIZE (1u << 8)
#define FLASH_SECTOR_SIZE (1u << 12)

extern uint8_t *flash_stand_in;
#define XIP_BASE ((uintptr_t)flash_stand_in)

void flash_range_erase(uint32_t flash_offs, size_t count);
void flash_range_program(uint32_t flash_offs, const uint8_t *data, size_t count);

#endif
