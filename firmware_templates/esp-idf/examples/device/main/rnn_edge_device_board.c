/* What ESP-IDF offers of what rnn_edge_board.h asks for: UART 0, the task watchdog, two memories.
 */
#include <string.h>

#include "driver/gpio.h"
#include "driver/uart.h"
#include "esp_attr.h"
#include "esp_cpu.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#include "rnn_edge_board.h"
#include "rnn_edge_receive.h"
#include "rnn_edge_retained.h"

enum {
    LINE = UART_NUM_0,
    /* The driver wants more than the 128 bytes of the hardware. */
    RECEIVE_BYTES = RNN_EDGE_RECEIVE_BYTES > 256 ? RNN_EDGE_RECEIVE_BYTES : 256,
    SEND_BYTES = 2048,
    EVENTS = 16,
    FLASH_BYTES = 8192 /* half of the partition "rnn_edge" of partitions.csv */
};

static QueueHandle_t events;
static uint32_t lost;
static uint32_t ticks_began;

void rnn_edge_platform_start_ticks(void) {
    ticks_began = (uint32_t)esp_cpu_get_cycle_count();
}

uint32_t rnn_edge_platform_ticks(void) {
    return ((uint32_t)esp_cpu_get_cycle_count() - ticks_began) & 0xFFFFFFu;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return CONFIG_ESP_MAIN_TASK_STACK_SIZE - (uint32_t)uxTaskGetStackHighWaterMark(NULL);
}

void rnn_edge_board_begin(void) {
    const uart_config_t settings = {
        .baud_rate = 115200,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    ESP_ERROR_CHECK(uart_driver_install(LINE, RECEIVE_BYTES, SEND_BYTES, EVENTS, &events, 0));
    ESP_ERROR_CHECK(uart_param_config(LINE, &settings));
#if CONFIG_RNN_EDGE_LED_GPIO >= 0
    ESP_ERROR_CHECK(gpio_reset_pin(CONFIG_RNN_EDGE_LED_GPIO));
    ESP_ERROR_CHECK(gpio_set_direction(CONFIG_RNN_EDGE_LED_GPIO, GPIO_MODE_OUTPUT));
#endif
}

/* The driver says that it lost bytes, not how many: each time counts as one, the least it can be.
 */
static void count_lost(void) {
    uart_event_t event;
    while (xQueueReceive(events, &event, 0) == pdTRUE) {
        if (event.type == UART_FIFO_OVF || event.type == UART_BUFFER_FULL) {
            lost += 1;
        }
    }
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    count_lost();
    const int count = uart_read_bytes(LINE, to, (uint32_t)capacity, 0);
    return count > 0 ? (size_t)count : 0;
}

uint32_t rnn_edge_board_lost(void) {
    return lost;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    return uart_write_bytes(LINE, bytes, count) == (int)count;
}

void rnn_edge_board_idle(void) {
    vTaskDelay(1);
}

void rnn_edge_board_show(bool is_detected) {
#if CONFIG_RNN_EDGE_LED_GPIO >= 0
    (void)gpio_set_level(CONFIG_RNN_EDGE_LED_GPIO, is_detected ? 1 : 0);
#else
    (void)is_detected;
#endif
}

static bool is_watched;

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    const esp_task_wdt_config_t wanted = {
        .timeout_ms = timeout_ms, .idle_core_mask = 0, .trigger_panic = true};
    esp_err_t done = esp_task_wdt_init(&wanted);
    if (done == ESP_ERR_INVALID_STATE) {
        done = esp_task_wdt_reconfigure(&wanted);
    }
    is_watched = done == ESP_OK && esp_task_wdt_add(NULL) == ESP_OK;
    return is_watched;
}

void rnn_edge_board_feed_watchdog(void) {
    if (is_watched) {
        (void)esp_task_wdt_reset();
    }
}

rnn_edge_board_start rnn_edge_board_started(void) {
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
    case ESP_RST_BROWNOUT:
        return RNN_EDGE_START_POWER;
    case ESP_RST_EXT:
        return RNN_EDGE_START_PIN;
    case ESP_RST_SW:
        return RNN_EDGE_START_SOFTWARE;
    case ESP_RST_INT_WDT:
    case ESP_RST_TASK_WDT:
    case ESP_RST_WDT:
        return RNN_EDGE_START_WATCHDOG;
    default:
        return RNN_EDGE_START_UNKNOWN;
    }
}

_Noreturn void rnn_edge_board_restart(void) {
    /* What was answered last is still to be sent. */
    (void)uart_wait_tx_done(LINE, pdMS_TO_TICKS(100));
    esp_restart();
}

/* Memory of the real-time clock, which only a start with power off sets up. */
static RTC_NOINIT_ATTR rnn_edge_retained_places places;
RNN_EDGE_RETAINED_MEDIUM(places)

static const esp_partition_t *partition;

static void read_flash(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {
    if (esp_partition_read(partition, place * FLASH_BYTES + offset, to, count) != ESP_OK) {
        memset(to, 0xFF, count);
    }
}

static bool erase_flash(unsigned place) {
    return esp_partition_erase_range(partition, place * FLASH_BYTES, FLASH_BYTES) == ESP_OK;
}

static bool write_flash(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    return esp_partition_write(partition, place * FLASH_BYTES + offset, from, count) == ESP_OK;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    /* 16 bytes: what an encrypted flash takes at once. */
    static const rnn_edge_medium medium = {"flash",    FLASH_BYTES, 16,         true,
                                           read_flash, erase_flash, write_flash};
    if (partition == NULL) {
        partition = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY,
                                             "rnn_edge");
    }
    return partition == NULL || partition->size < 2u * FLASH_BYTES ? NULL : &medium;
}
