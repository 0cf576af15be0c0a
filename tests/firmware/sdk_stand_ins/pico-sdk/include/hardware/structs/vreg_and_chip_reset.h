#ifndef HARDWARE_STRUCTS_VREG_STAND_IN_H
#define HARDWARE_STRUCTS_VREG_STAND_IN_H

#include <stdint.h>

#define VREG_AND_CHIP_RESET_CHIP_RESET_HAD_POR_BITS 0x100u
#define VREG_AND_CHIP_RESET_CHIP_RESET_HAD_RUN_BITS 0x10000u

typedef struct {
    volatile uint32_t chip_reset;
} vreg_and_chip_reset_hw_t;

extern vreg_and_chip_reset_hw_t vreg_stand_in;
#define vreg_and_chip_reset_hw (&vreg_stand_in)

#endif
