/*
 * The last sectors of the flash beside an RP2040 as a memory that keeps what is written.
 *
 * While the flash is given commands it cannot be read where it lies: what does that is in RAM, with
 * the interrupts off, up to 0.4 s for a sector. What comes over the link meanwhile and is more than
 * the UART keeps, 32 bytes, is lost; a host sends it again.
 *
 * The commands are those that all flashes of this kind have; board/boot_rp2040.c set up how it is
 * read, and so does this afterwards.
 *
 * Source: Raspberry Pi, "RP2040 Datasheet", 4.10 "SSI", 2.6.3 "Flash (XIP)", register FLUSH, and
 * 2.19.6.2 "IO - QSPI Bank", GPIO_QSPI_SS_CTRL; Winbond, "W25Q16JV", "Instruction Set Table 1".
 *
 * Numbers of the board: as board/flash_places.h, flash_base, flash_sector_bytes.
 */
#include "board/flash_places.h"
#include "board/rp2040.h"

#define SSI(offset) RNN_EDGE_REGISTER(UINT32_C(0x18000000) + (offset))
#define SSI_CTRLR0 SSI(0x00)
#define SSI_CTRLR1 SSI(0x04)
#define SSI_ENABLE SSI(0x08)
#define SSI_SELECT SSI(0x10)
#define SSI_CLOCK_DIVIDER SSI(0x14)
#define SSI_STATE SSI(0x28)
#define SSI_DATA SSI(0x60)
#define SSI_SPI_CTRLR0 SSI(0xF4)
#define XIP_FLUSH RNN_EDGE_REGISTER(0x14000004)
#define CHIP_SELECT RNN_EDGE_REGISTER(0x4001800C)

#define BYTES_BOTH_WAYS UINT32_C(0x00070000)
#define READING_WORDS UINT32_C(0x001F0300)
#define READ_COMMAND UINT32_C(0x03000218)
#define STATE_RECEIVED UINT32_C(8)
#define SELECT_NORMAL UINT32_C(0)
#define SELECT_LOW (UINT32_C(2) << 8)
#define SELECT_HIGH (UINT32_C(3) << 8)

enum {
    UNIT = 256,
    CLOCK_DIVIDER = 4,
    COMMAND_PROGRAM = 0x02,
    COMMAND_STATE = 0x05,
    COMMAND_ALLOW = 0x06,
    COMMAND_ERASE = 0x20,
    STATE_BUSY = 1,
    /* Of a byte, that takes 32 clocks. */
    BYTE_PATIENCE = 10000,
    /* Of asking, that takes two bytes each time: several times what an erase takes. */
    PATIENCE = 2000000
};

#define IN_RAM __attribute__((section(".ramcode"), noinline))
#define CALLED_FROM_FLASH __attribute__((long_call))

static IN_RAM uint32_t exchange(uint32_t byte) {
    SSI_DATA = byte;
    for (uint32_t left = BYTE_PATIENCE; left != 0 && (SSI_STATE & STATE_RECEIVED) == 0; --left) {
    }
    return SSI_DATA;
}

/* The chip stays selected between bytes, however long they take. */
static IN_RAM void begin_command(uint32_t command) {
    CHIP_SELECT = SELECT_LOW;
    (void)exchange(command);
}

static IN_RAM void end_command(void) {
    CHIP_SELECT = SELECT_HIGH;
}

static IN_RAM bool wait_until_done(void) {
    for (uint32_t left = PATIENCE; left != 0; --left) {
        begin_command(COMMAND_STATE);
        const uint32_t state = exchange(0);
        end_command();
        if ((state & STATE_BUSY) == 0) {
            return true;
        }
    }
    return false;
}

/* Erases the sector at an offset, or programs a page there. */
static IN_RAM CALLED_FROM_FLASH bool change(uint32_t command, uint32_t at, const uint8_t *bytes,
                                            uint32_t count) {
    SSI_ENABLE = 0;
    SSI_CTRLR0 = BYTES_BOTH_WAYS;
    SSI_CLOCK_DIVIDER = CLOCK_DIVIDER;
    SSI_SELECT = 1;
    SSI_ENABLE = 1;
    begin_command(COMMAND_ALLOW);
    end_command();
    begin_command(command);
    (void)exchange(at >> 16);
    (void)exchange((at >> 8) & 0xFFU);
    (void)exchange(at & 0xFFU);
    for (uint32_t k = 0; k < count; ++k) {
        (void)exchange(bytes[k]);
    }
    end_command();
    const bool is_well = wait_until_done();
    CHIP_SELECT = SELECT_NORMAL;
    SSI_ENABLE = 0;
    SSI_CTRLR0 = READING_WORDS;
    SSI_CTRLR1 = 0;
    SSI_SPI_CTRLR0 = READ_COMMAND;
    SSI_ENABLE = 1;
    XIP_FLUSH = 1;
    (void)XIP_FLUSH; /* it waits until the cache is empty */
    return is_well;
}

static bool change_undisturbed(uint32_t command, uint32_t at, const uint8_t *bytes,
                               uint32_t count) {
    __asm__ volatile("cpsid i" ::: "memory");
    const bool is_well = change(command, at - BOARD_FLASH_BASE, bytes, count);
    __asm__ volatile("cpsie i" ::: "memory");
    return is_well;
}

static bool erase_place(unsigned place) {
    bool is_well = true;
    for (uint32_t at = 0; is_well && at < BOARD_FLASH_PLACE_BYTES; at += BOARD_FLASH_SECTOR_BYTES) {
        is_well = change_undisturbed(COMMAND_ERASE, rnn_edge_place(place) + at, NULL, 0);
    }
    return is_well;
}

/* What is written comes from RAM. */
static bool write_place(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    bool is_well = true;
    for (uint32_t k = 0; is_well && k < count; k += UNIT) {
        is_well =
            change_undisturbed(COMMAND_PROGRAM, rnn_edge_place(place) + offset + k, from + k, UNIT);
    }
    return is_well;
}

RNN_EDGE_FLASH_MEDIUM(UNIT)
