/* A board of one UART and one flash, on standard input and output. */
#include <string.h>

#include "hardware/flash.h"
#include "hardware/gpio.h"
#include "hardware/irq.h"
#include "hardware/structs/systick.h"
#include "hardware/structs/vreg_and_chip_reset.h"
#include "hardware/sync.h"
#include "hardware/uart.h"
#include "hardware/watchdog.h"
#include "line_stand_in.h"
#include "pico/stdio_usb.h"

uart_inst_t uart_stand_in;
systick_hw_t systick_stand_in;
vreg_and_chip_reset_hw_t vreg_stand_in = {VREG_AND_CHIP_RESET_CHIP_RESET_HAD_POR_BITS};
uint8_t *flash_stand_in;

/* What the UART's interrupt calls, once there is one. */
static void (*uart_handler)(void);

void stdio_init_all(void) {
    flash_stand_in = line_flash(PICO_FLASH_SIZE_BYTES);
}

void sleep_ms(uint32_t ms) {
    (void)ms;
    exit(0);
}

/* Interrupts come while the program has nothing to do. */
void sleep_us(uint64_t us) {
    if (line_has_bytes((int)(us / 1000) + 1) && uart_handler != NULL) {
        uart_handler();
    }
}

void gpio_init(uint gpio) {
    (void)gpio;
}

void gpio_set_dir(uint gpio, bool out) {
    (void)gpio;
    (void)out;
}

void gpio_put(uint gpio, bool value) {
    (void)gpio;
    (void)value;
}

void gpio_set_function(uint gpio, int function) {
    (void)gpio;
    (void)function;
}

void irq_set_exclusive_handler(uint num, irq_handler_t handler) {
    (void)num;
#if !LIB_PICO_STDIO_USB
    uart_handler = handler;
#else
    /* Nobody is connected to the UART. */
    (void)handler;
#endif
}

void irq_set_enabled(uint num, bool enabled) {
    (void)num;
    (void)enabled;
}

uint uart_init(uart_inst_t *uart, uint baudrate) {
    (void)uart;
    return baudrate;
}

bool uart_is_readable(uart_inst_t *uart) {
    (void)uart;
    return line_has_bytes(0);
}

char uart_getc(uart_inst_t *uart) {
    (void)uart;
    uint8_t byte = 0;
    (void)line_read(&byte, 1);
    return (char)byte;
}

void uart_write_blocking(uart_inst_t *uart, const uint8_t *src, size_t len) {
    (void)uart;
    line_write(src, len);
}

void uart_set_irq_enables(uart_inst_t *uart, bool rx_has_data, bool tx_needs_data) {
    (void)uart;
    (void)rx_has_data;
    (void)tx_needs_data;
}

static void usb_out(const char *buf, int len) {
    line_write(buf, (size_t)len);
}

static int usb_in(char *buf, int len) {
    const size_t count = line_read((uint8_t *)buf, (size_t)len);
    return count == 0 ? -3 : (int)count;
}

stdio_driver_t stdio_usb = {usb_out, usb_in};

uint32_t save_and_disable_interrupts(void) {
    return 0;
}

void restore_interrupts(uint32_t status) {
    (void)status;
}

/* Outside of the program; whole sectors and pages only, as in the hardware. */
static void check(uint32_t at, size_t count, uint32_t unit) {
    if (at % unit != 0 || count % unit != 0 || at + count > PICO_FLASH_SIZE_BYTES ||
        at < PICO_FLASH_SIZE_BYTES / 2) {
        abort();
    }
}

void flash_range_erase(uint32_t flash_offs, size_t count) {
    check(flash_offs, count, FLASH_SECTOR_SIZE);
    memset(flash_stand_in + flash_offs, 0xFF, count);
}

void flash_range_program(uint32_t flash_offs, const uint8_t *data, size_t count) {
    check(flash_offs, count, FLASH_PAGE_SIZE);
    for (size_t k = 0; k < count; ++k) {
        /* Bits go from 1 to 0 only. */
        flash_stand_in[flash_offs + k] &= data[k];
    }
}

void watchdog_enable(uint32_t delay_ms, bool pause_on_debug) {
    (void)pause_on_debug;
    if (delay_ms > 8388) {
        abort();
    }
}

void watchdog_update(void) {
}

void watchdog_reboot(uint32_t pc, uint32_t sp, uint32_t delay_ms) {
    (void)pc;
    (void)sp;
    (void)delay_ms;
    exit(LINE_RESTARTS);
}

bool watchdog_caused_reboot(void) {
    return false;
}

bool watchdog_enable_caused_reboot(void) {
    return false;
}
