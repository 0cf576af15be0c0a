/* The devices of the tree, on standard input and output. */
#include <stdlib.h>
#include <string.h>

#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/drivers/watchdog.h>
#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>
#include <zephyr/sys/reboot.h>
#include <zephyr/sys/ring_buffer.h>

#include "line_stand_in.h"

const struct device console_stand_in = {"console"};
const struct device watchdog_stand_in = {"watchdog"};

static uart_irq_callback_user_data_t callback;
static int is_enabled;
static const struct flash_area area = {2 * 4096};
static uint8_t *flash;

k_tid_t k_current_get(void) {
    return NULL;
}

int k_thread_stack_space_get(k_tid_t thread, size_t *unused) {
    *unused = 1000;
    return thread == NULL ? 0 : -1;
}

/* Interrupts come while the program has nothing to do. */
int32_t k_sleep(int ms) {
    if (line_has_bytes(ms) && is_enabled && callback != NULL) {
        callback(&console_stand_in, NULL);
    }
    return 0;
}

bool gpio_is_ready_dt(const struct gpio_dt_spec *spec) {
    return spec->pin == 13;
}

int gpio_pin_configure_dt(const struct gpio_dt_spec *spec, uint32_t flags) {
    return spec->pin == 13 && flags == GPIO_OUTPUT_INACTIVE ? 0 : -1;
}

int gpio_pin_set_dt(const struct gpio_dt_spec *spec, int value) {
    return spec->pin == 13 && value <= 1 ? 0 : -1;
}

int hwinfo_get_reset_cause(uint32_t *cause) {
    *cause = RESET_PIN;
    return 0;
}

int hwinfo_clear_reset_cause(void) {
    return 0;
}

int uart_irq_callback_user_data_set(const struct device *dev, uart_irq_callback_user_data_t cb,
                                    void *user_data) {
    callback = cb;
    return dev == &console_stand_in && user_data == NULL ? 0 : -1;
}

void uart_irq_rx_enable(const struct device *dev) {
    is_enabled = dev == &console_stand_in;
}

int uart_irq_update(const struct device *dev) {
    return dev == &console_stand_in;
}

int uart_irq_rx_ready(const struct device *dev) {
    return dev == &console_stand_in && line_has_bytes(0);
}

int uart_fifo_read(const struct device *dev, uint8_t *rx_data, const int size) {
    return dev == &console_stand_in ? (int)line_read(rx_data, (size_t)size) : -1;
}

void uart_poll_out(const struct device *dev, unsigned char out_char) {
    if (dev != &console_stand_in) {
        abort();
    }
    line_write(&out_char, 1);
}

int wdt_install_timeout(const struct device *dev, const struct wdt_timeout_cfg *cfg) {
    return dev == &watchdog_stand_in && cfg->window.max > 0 && cfg->flags == WDT_FLAG_RESET_SOC
               ? 0
               : -1;
}

int wdt_setup(const struct device *dev, uint8_t options) {
    return dev == &watchdog_stand_in && options == WDT_OPT_PAUSE_HALTED_BY_DBG ? 0 : -1;
}

int wdt_feed(const struct device *dev, int channel_id) {
    return dev == &watchdog_stand_in && channel_id == 0 ? 0 : -1;
}

int flash_area_open(uint8_t id, const struct flash_area **fa) {
    *fa = &area;
    flash = line_flash(area.fa_size);
    return id == FIXED_PARTITION_ID(storage_partition) ? 0 : -1;
}

int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len) {
    if ((size_t)off + len > fa->fa_size) {
        return -1;
    }
    memcpy(dst, flash + off, len);
    return 0;
}

int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len) {
    if (off % 4 != 0 || len % 4 != 0 || (size_t)off + len > fa->fa_size) {
        return -1;
    }
    for (size_t k = 0; k < len; ++k) {
        flash[(size_t)off + k] &= ((const uint8_t *)src)[k];
    }
    return 0;
}

int flash_area_erase(const struct flash_area *fa, off_t off, size_t len) {
    if (off % 4096 != 0 || len % 4096 != 0 || (size_t)off + len > fa->fa_size) {
        return -1;
    }
    memset(flash + off, 0xFF, len);
    return 0;
}

void sys_reboot(int type) {
    exit(type == SYS_REBOOT_COLD ? LINE_RESTARTS : 1);
}

uint32_t ring_buf_put(struct ring_buf *buf, const uint8_t *data, uint32_t size) {
    uint32_t count = 0;
    while (count < size && buf->put - buf->taken < buf->size) {
        buf->bytes[buf->put++ % buf->size] = data[count++];
    }
    return count;
}

uint32_t ring_buf_get(struct ring_buf *buf, uint8_t *data, uint32_t size) {
    uint32_t count = 0;
    while (count < size && buf->taken != buf->put) {
        data[count++] = buf->bytes[buf->taken++ % buf->size];
    }
    return count;
}
