/* What Zephyr offers of what rnn_edge_board.h asks for, as the board's device tree has it. */
#include <string.h>

#include <zephyr/device.h>
#include <zephyr/drivers/gpio.h>
#include <zephyr/drivers/hwinfo.h>
#include <zephyr/drivers/uart.h>
#include <zephyr/drivers/watchdog.h>
#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>
#include <zephyr/sys/reboot.h>
#include <zephyr/sys/ring_buffer.h>

#include "rnn_edge_board.h"
#include "rnn_edge_cycles.h"
#include "rnn_edge_receive.h"
#include "rnn_edge_retained.h"

static const struct device *const line = DEVICE_DT_GET(DT_CHOSEN(zephyr_console));
RING_BUF_DECLARE(received, RNN_EDGE_RECEIVE_BYTES);
static volatile uint32_t lost;
static uint32_t ticks_began;

void rnn_edge_platform_start_ticks(void) {
    ticks_began = rnn_edge_cycles();
}

uint32_t rnn_edge_platform_ticks(void) {
    return (rnn_edge_cycles() - ticks_began) & 0xFFFFFFu;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    size_t unused = 0;
    if (k_thread_stack_space_get(k_current_get(), &unused) != 0) {
        return 0;
    }
    return CONFIG_MAIN_STACK_SIZE - (uint32_t)unused;
}

static void take(const struct device *from, void *context) {
    uint8_t bytes[16];
    (void)context;
    while (uart_irq_update(from) && uart_irq_rx_ready(from)) {
        const int count = uart_fifo_read(from, bytes, sizeof bytes);
        if (count <= 0) {
            return;
        }
        lost += (uint32_t)count - ring_buf_put(&received, bytes, (uint32_t)count);
    }
}

#if DT_NODE_HAS_STATUS(DT_ALIAS(led0), okay)
static const struct gpio_dt_spec led = GPIO_DT_SPEC_GET(DT_ALIAS(led0), gpios);
#endif

static rnn_edge_board_start reason;

static void ask_reason(void) {
    uint32_t cause = 0;
    if (hwinfo_get_reset_cause(&cause) != 0) {
        return;
    }
    /* A register that gathers causes would still hold this one after the next start. */
    (void)hwinfo_clear_reset_cause();
    if ((cause & RESET_WATCHDOG) != 0) {
        reason = RNN_EDGE_START_WATCHDOG;
    } else if ((cause & RESET_SOFTWARE) != 0) {
        reason = RNN_EDGE_START_SOFTWARE;
    } else if ((cause & (RESET_POR | RESET_BROWNOUT)) != 0) {
        reason = RNN_EDGE_START_POWER;
    } else if ((cause & RESET_PIN) != 0) {
        reason = RNN_EDGE_START_PIN;
    }
}

void rnn_edge_board_begin(void) {
    ask_reason();
#if DT_NODE_HAS_STATUS(DT_ALIAS(led0), okay)
    if (gpio_is_ready_dt(&led)) {
        (void)gpio_pin_configure_dt(&led, GPIO_OUTPUT_INACTIVE);
    }
#endif
    rnn_edge_cycles_start();
    if (device_is_ready(line) && uart_irq_callback_user_data_set(line, take, NULL) == 0) {
        uart_irq_rx_enable(line);
    }
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    return ring_buf_get(&received, to, (uint32_t)capacity);
}

uint32_t rnn_edge_board_lost(void) {
    return lost;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        uart_poll_out(line, bytes[k]);
    }
    return true;
}

void rnn_edge_board_idle(void) {
    k_sleep(K_MSEC(1));
}

void rnn_edge_board_show(bool is_detected) {
#if DT_NODE_HAS_STATUS(DT_ALIAS(led0), okay)
    (void)gpio_pin_set_dt(&led, is_detected ? 1 : 0);
#else
    (void)is_detected;
#endif
}

#if DT_NODE_HAS_STATUS(DT_ALIAS(watchdog0), okay)

static const struct device *const watchdog = DEVICE_DT_GET(DT_ALIAS(watchdog0));
static int channel = -1;

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    const struct wdt_timeout_cfg wanted = {
        .window = {.min = 0, .max = timeout_ms}, .callback = NULL, .flags = WDT_FLAG_RESET_SOC};
    if (!device_is_ready(watchdog)) {
        return false;
    }
    const int installed = wdt_install_timeout(watchdog, &wanted);
    if (installed < 0 || wdt_setup(watchdog, WDT_OPT_PAUSE_HALTED_BY_DBG) != 0) {
        return false;
    }
    channel = installed;
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    if (channel >= 0) {
        (void)wdt_feed(watchdog, channel);
    }
}

#else

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    (void)timeout_ms;
    return false;
}

void rnn_edge_board_feed_watchdog(void) {
}

#endif

rnn_edge_board_start rnn_edge_board_started(void) {
    return reason;
}

_Noreturn void rnn_edge_board_restart(void) {
    sys_reboot(SYS_REBOOT_COLD);
    for (;;) {
    }
}

/* Not set up at a start, so that it holds what it held; whether it is right is for its reader. */
static __noinit rnn_edge_retained_places places;
RNN_EDGE_RETAINED_MEDIUM(places)

/* The storage partition, where the flash has pages of one size: a page for each place. */
#define FLASH_NODE DT_CHOSEN(zephyr_flash)

#if FIXED_PARTITION_EXISTS(storage_partition) && DT_NODE_HAS_PROP(FLASH_NODE, erase_block_size)

enum { PAGE = DT_PROP(FLASH_NODE, erase_block_size), UNIT = DT_PROP(FLASH_NODE, write_block_size) };

static const struct flash_area *area;

static void read_flash(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {
    if (flash_area_read(area, (off_t)(place * PAGE + offset), to, count) != 0) {
        memset(to, 0xFF, count);
    }
}

static bool erase_flash(unsigned place) {
    return flash_area_erase(area, (off_t)(place * PAGE), PAGE) == 0;
}

static bool write_flash(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    return flash_area_write(area, (off_t)(place * PAGE + offset), from, count) == 0;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    static const rnn_edge_medium medium = {"flash",    PAGE,        UNIT,       true,
                                           read_flash, erase_flash, write_flash};
    if (area == NULL && flash_area_open(FIXED_PARTITION_ID(storage_partition), &area) != 0) {
        area = NULL;
    }
    return area == NULL || area->fa_size < (size_t)2 * PAGE ? NULL : &medium;
}

#else

const rnn_edge_medium *rnn_edge_board_flash(void) {
    return NULL;
}

#endif
