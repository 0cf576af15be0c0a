/*
 * The last two sectors of an STM32F4's flash as a memory that keeps what is written.
 *
 * The processor stands still while it wants to read the flash and this one is busy: up to 2 s for
 * a sector of 128 KiB. What comes over the link meanwhile is lost, and counted; a host sends it
 * again. A watchdog has to have more time than that; it is fed before.
 *
 * Source: ST, RM0090, RM0368 and RM0390, "Embedded Flash memory interface": sectors, keys, erase
 * and program sequences; the datasheets' "Flash memory programming". Words of 32 bits need 2.7 V.
 *
 * Numbers of the board: as board/flash_places.h, and flash_sector, the number of the first.
 */
#include "board/flash_places.h"
#include "board/stm32f4.h"

#define SR_ERRORS UINT32_C(0x1F2)
#define SR_DONE UINT32_C(1)
#define SR_BUSY (UINT32_C(1) << 16)
#define CR_PROGRAM UINT32_C(1)
#define CR_ERASE UINT32_C(2)
#define CR_BY_WORDS (UINT32_C(2) << 8)
#define CR_START (UINT32_C(1) << 16)
#define CR_LOCK (UINT32_C(1) << 31)
#define ACR_DATA_CACHE (UINT32_C(1) << 10)
#define ACR_FORGET_DATA (UINT32_C(1) << 12)

enum {
    UNIT = 4,
    /* An attempt takes several clocks; 4 s is what the slowest erase takes, twice. */
    PATIENCE = BOARD_CLOCK_HZ
};

static bool wait_until_done(void) {
    for (uint32_t left = PATIENCE; (FLASH_SR & SR_BUSY) != 0; --left) {
        if (left == 0) {
            return false;
        }
    }
    const bool is_well = (FLASH_SR & SR_ERRORS) == 0;
    FLASH_SR = SR_ERRORS | SR_DONE;
    return is_well;
}

/* The keys are taken at once; the simulator that this runs in without a board takes them every
 * other time. */
static bool unlock(void) {
    for (unsigned attempt = 0; attempt < 2 && (FLASH_CR & CR_LOCK) != 0; ++attempt) {
        FLASH_KEYR = UINT32_C(0x45670123);
        FLASH_KEYR = UINT32_C(0xCDEF89AB);
    }
    FLASH_SR = SR_ERRORS | SR_DONE;
    return (FLASH_CR & CR_LOCK) == 0;
}

/* The cache of data still has what stood in the flash before. */
static void lock(void) {
    FLASH_CR = CR_LOCK;
    FLASH_ACR &= ~ACR_DATA_CACHE;
    FLASH_ACR |= ACR_FORGET_DATA;
    FLASH_ACR &= ~ACR_FORGET_DATA;
    FLASH_ACR |= ACR_DATA_CACHE;
}

static bool erase_place(unsigned place) {
    rnn_edge_board_feed_watchdog();
    bool is_well = unlock();
    if (is_well) {
        FLASH_CR = CR_BY_WORDS | CR_ERASE | ((BOARD_FLASH_SECTOR + place) << 3);
        FLASH_CR |= CR_START;
        rnn_edge_data_barrier();
        is_well = wait_until_done();
    }
    lock();
    return is_well;
}

static bool write_place(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    volatile uint32_t *to = (volatile uint32_t *)(uintptr_t)(rnn_edge_place(place) + offset);
    bool is_well = unlock();
    FLASH_CR = CR_BY_WORDS | CR_PROGRAM;
    for (uint32_t k = 0; is_well && k < count; k += UNIT) {
        uint32_t word;
        memcpy(&word, from + k, sizeof word);
        *to++ = word;
        rnn_edge_data_barrier();
        is_well = wait_until_done();
    }
    lock();
    return is_well;
}

RNN_EDGE_FLASH_MEDIUM(UNIT)
