/*
 * What the Pico SDK offers of what rnn_edge_board.h asks for.
 *
 * The link is USB and the UART of the default pins at once; answers go where the last bytes came
 * from.
 */
#include <string.h>

#include "hardware/flash.h"
#include "hardware/gpio.h"
#include "hardware/irq.h"
#include "hardware/structs/systick.h"
#include "hardware/sync.h"
#include "hardware/uart.h"
#include "hardware/watchdog.h"
#include "pico/stdlib.h"
#if LIB_PICO_STDIO_USB
#include "pico/stdio_usb.h"
#endif
#if PICO_RP2040
#include "hardware/structs/vreg_and_chip_reset.h"
#else
#include "hardware/structs/powman.h"
#endif

#include "rnn_edge_board.h"
#include "rnn_edge_receive.h"
#include "rnn_edge_retained.h"

/* Filled by the interrupt, emptied by the program. One place stays empty: full is not empty. */
enum { PLACES = RNN_EDGE_RECEIVE_BYTES + 1 };

static volatile uint8_t received[PLACES];
static volatile uint32_t put_at;
static volatile uint32_t take_at;
static volatile uint32_t lost;
static bool is_usb;
static rnn_edge_board_start reason;

/* SysTick, which the SDK leaves alone, counts 24 bits of clock cycles down. */
void rnn_edge_platform_start_ticks(void) {
    systick_hw->rvr = 0xFFFFFFu;
    systick_hw->cvr = 0;
    systick_hw->csr = 5; /* the processor's clock, and no interrupt */
}

uint32_t rnn_edge_platform_ticks(void) {
    return (0u - systick_hw->cvr) & 0xFFFFFFu;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

static uint32_t next(uint32_t at) {
    return at + 1 == PLACES ? 0 : at + 1;
}

static void take(void) {
    while (uart_is_readable(uart_default)) {
        const uint8_t byte = (uint8_t)uart_getc(uart_default);
        const uint32_t at = put_at;
        if (next(at) == take_at) {
            lost = lost + 1;
        } else {
            received[at] = byte;
            put_at = next(at);
        }
    }
}

static rnn_edge_board_start ask_reason(void) {
    if (watchdog_enable_caused_reboot()) {
        return RNN_EDGE_START_WATCHDOG;
    }
    if (watchdog_caused_reboot()) {
        return RNN_EDGE_START_SOFTWARE;
    }
#if PICO_RP2040
    const uint32_t had = vreg_and_chip_reset_hw->chip_reset;
    const uint32_t power = VREG_AND_CHIP_RESET_CHIP_RESET_HAD_POR_BITS;
    const uint32_t pin = VREG_AND_CHIP_RESET_CHIP_RESET_HAD_RUN_BITS;
#else
    const uint32_t had = powman_hw->chip_reset;
    const uint32_t power = POWMAN_CHIP_RESET_HAD_POR_BITS | POWMAN_CHIP_RESET_HAD_BOR_BITS;
    const uint32_t pin = POWMAN_CHIP_RESET_HAD_RUN_LOW_BITS;
#endif
    if ((had & pin) != 0) {
        return RNN_EDGE_START_PIN;
    }
    return (had & power) != 0 ? RNN_EDGE_START_POWER : RNN_EDGE_START_UNKNOWN;
}

void rnn_edge_board_begin(void) {
    reason = ask_reason();
    stdio_init_all();
#ifdef PICO_DEFAULT_LED_PIN
    gpio_init(PICO_DEFAULT_LED_PIN);
    gpio_set_dir(PICO_DEFAULT_LED_PIN, GPIO_OUT);
#endif
    (void)uart_init(uart_default, 115200);
    gpio_set_function(PICO_DEFAULT_UART_TX_PIN, GPIO_FUNC_UART);
    gpio_set_function(PICO_DEFAULT_UART_RX_PIN, GPIO_FUNC_UART);
    const uint line = PICO_DEFAULT_UART == 0 ? UART0_IRQ : UART1_IRQ;
    irq_set_exclusive_handler(line, take);
    irq_set_enabled(line, true);
    uart_set_irq_enables(uart_default, true, false);
}

static size_t receive_uart(uint8_t *to, size_t capacity) {
    size_t count = 0;
    while (count < capacity && take_at != put_at) {
        to[count++] = received[take_at];
        take_at = next(take_at);
    }
    return count;
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    const size_t count = receive_uart(to, capacity);
    if (count != 0) {
        is_usb = false;
        return count;
    }
#if LIB_PICO_STDIO_USB
    /* What USB has no room for waits with the host. */
    const int read = stdio_usb.in_chars((char *)to, (int)capacity);
    if (read > 0) {
        is_usb = true;
        return (size_t)read;
    }
#endif
    return 0;
}

uint32_t rnn_edge_board_lost(void) {
    return lost;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
#if LIB_PICO_STDIO_USB
    if (is_usb) {
        if (!stdio_usb_connected()) {
            return false;
        }
        stdio_usb.out_chars((const char *)bytes, (int)count);
        return true;
    }
#endif
    uart_write_blocking(uart_default, bytes, count);
    return true;
}

void rnn_edge_board_idle(void) {
    /* The SDK serves USB from interrupts; in 100 us the UART brings a byte or two. */
    sleep_us(100);
}

void rnn_edge_board_show(bool is_detected) {
#ifdef PICO_DEFAULT_LED_PIN
    gpio_put(PICO_DEFAULT_LED_PIN, is_detected);
#else
    (void)is_detected;
#endif
}

/* More the counter cannot hold. */
#if PICO_RP2040
enum { LONGEST_MS = 8388 };
#else
enum { LONGEST_MS = 16777 };
#endif

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    if (timeout_ms == 0 || timeout_ms > LONGEST_MS) {
        return false;
    }
    watchdog_enable(timeout_ms, true);
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    watchdog_update();
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return reason;
}

_Noreturn void rnn_edge_board_restart(void) {
    /* Time for what was answered last. */
    watchdog_reboot(0, 0, 50);
    for (;;) {
    }
}

/* Not set up at a start, so that it holds what it held; whether it is right is for its reader. */
static rnn_edge_retained_places __uninitialized_ram(places);
RNN_EDGE_RETAINED_MEDIUM(places)

/* The last two sectors of the flash. No other core runs, so that interrupts are all that has to
 * stay away while the flash cannot be read. */
enum { FLASH_BYTES = FLASH_SECTOR_SIZE, FLASH_AT = PICO_FLASH_SIZE_BYTES - 2 * FLASH_SECTOR_SIZE };

static void read_flash(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {
    const uintptr_t at = XIP_BASE + FLASH_AT + place * FLASH_BYTES + offset;
    memcpy(to, (const void *)at, count);
}

static bool erase_flash(unsigned place) {
    const uint32_t interrupts = save_and_disable_interrupts();
    flash_range_erase(FLASH_AT + place * FLASH_BYTES, FLASH_BYTES);
    restore_interrupts(interrupts);
    return true;
}

static bool write_flash(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    const uint32_t interrupts = save_and_disable_interrupts();
    flash_range_program(FLASH_AT + place * FLASH_BYTES + offset, from, count);
    restore_interrupts(interrupts);
    return true;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    static const rnn_edge_medium medium = {"flash",    FLASH_BYTES, FLASH_PAGE_SIZE, true,
                                           read_flash, erase_flash, write_flash};
    return &medium;
}
