/*
 * Pages at the end of an nRF52's flash as a memory that keeps what is written.
 *
 * The processor stands still while the flash is busy: up to 85 ms for a page of 4 KiB. What comes
 * over the link meanwhile and is more than the UART keeps, 6 bytes, is lost; a host sends it again.
 *
 * Source: Nordic, "nRF52840 Product Specification", "NVMC - Non-volatile memory controller".
 *
 * Numbers of the board: as board/flash_places.h, flash_page_bytes.
 */
#include "board/cortex_m.h"
#include "board/flash_places.h"

#define NVMC(offset) RNN_EDGE_REGISTER(UINT32_C(0x4001E000) + (offset))
#define READY NVMC(0x400)
#define CONFIG NVMC(0x504)
#define ERASEPAGE NVMC(0x508)

enum {
    READ_ONLY = 0,
    WRITE = 1,
    ERASE = 2,
    UNIT = 4,
    /* An attempt takes several clocks of 64 MHz, an erase 85 ms. */
    PATIENCE = 8000000
};

static bool wait_until_ready(void) {
    for (uint32_t left = PATIENCE; READY == 0; --left) {
        if (left == 0) {
            return false;
        }
    }
    return true;
}

static void allow(uint32_t what) {
    CONFIG = what;
    (void)wait_until_ready();
}

static bool erase_place(unsigned place) {
    bool is_well = wait_until_ready();
    allow(ERASE);
    for (uint32_t at = 0; is_well && at < BOARD_FLASH_PLACE_BYTES; at += BOARD_FLASH_PAGE_BYTES) {
        ERASEPAGE = rnn_edge_place(place) + at;
        is_well = wait_until_ready();
    }
    allow(READ_ONLY);
    return is_well;
}

static bool write_place(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    volatile uint32_t *to = (volatile uint32_t *)(uintptr_t)(rnn_edge_place(place) + offset);
    bool is_well = wait_until_ready();
    allow(WRITE);
    for (uint32_t k = 0; is_well && k < count; k += UNIT) {
        uint32_t word;
        memcpy(&word, from + k, sizeof word);
        *to++ = word;
        is_well = wait_until_ready();
    }
    allow(READ_ONLY);
    return is_well;
}

RNN_EDGE_FLASH_MEDIUM(UNIT)
