/*
 * Two places at the end of a flash that is read where it lies.
 *
 * Numbers of the board: flash_places (address of the first), flash_place_bytes. The linker keeps
 * the program out of them.
 */
#ifndef RNN_EDGE_FLASH_PLACES_H
#define RNN_EDGE_FLASH_PLACES_H

#include <string.h>

#include "board/numbers.h"
#include "board/parts.h"

static inline uint32_t rnn_edge_place(unsigned place) {
    return BOARD_FLASH_PLACES + place * BOARD_FLASH_PLACE_BYTES;
}

static void read_place(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {
    memcpy(to, (const uint8_t *)(uintptr_t)(rnn_edge_place(place) + offset), count);
}

/* Where there are the functions erase_place and write_place. */
#define RNN_EDGE_FLASH_MEDIUM(unit_bytes)                                                          \
    const rnn_edge_medium *rnn_edge_board_flash(void) {                                            \
        static const rnn_edge_medium medium = {.name = "flash",                                    \
                                               .place_bytes = BOARD_FLASH_PLACE_BYTES,             \
                                               .unit = (unit_bytes),                               \
                                               .keeps_without_power = true,                        \
                                               .read = read_place,                                 \
                                               .erase = erase_place,                               \
                                               .write = write_place};                              \
        return &medium;                                                                            \
    }

#endif
