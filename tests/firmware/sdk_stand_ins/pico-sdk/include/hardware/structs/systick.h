#ifndef HARDWARE_STRUCTS_SYSTICK_STAND_IN_H
#define HARDWARE_STRUCTS_SYSTICK_STAND_IN_H

#include <stdint.h>

typedef struct {
    volatile uint32_t csr;
    volatile uint32_t rvr;
    volatile uint32_t cvr;
} systick_hw_t;

extern systick_hw_t systick_stand_in;
#define systick_hw (&systick_stand_in)

#endif
