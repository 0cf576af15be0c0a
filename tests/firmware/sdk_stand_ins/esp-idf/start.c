/* A chip of one UART and one partition, on standard input and output. */
#include <string.h>

#include "driver/gpio.h"
#include "driver/uart.h"
#include "esp_cpu.h"
#include "esp_partition.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "freertos/task.h"
#include "line_stand_in.h"

static const esp_partition_t partition = {0x4000};
static uint8_t *flash;
static int is_watching;

esp_cpu_cycle_count_t esp_cpu_get_cycle_count(void) {
    return 0;
}

esp_reset_reason_t esp_reset_reason(void) {
    return ESP_RST_EXT;
}

void esp_restart(void) {
    exit(LINE_RESTARTS);
}

esp_err_t esp_task_wdt_init(const esp_task_wdt_config_t *config) {
    is_watching = 1;
    return config->trigger_panic ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_task_wdt_reconfigure(const esp_task_wdt_config_t *config) {
    return config->trigger_panic ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_task_wdt_add(void *task_handle) {
    return task_handle == NULL && is_watching ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_task_wdt_reset(void) {
    return ESP_OK;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype,
                                                const char *label) {
    const int is_it = type == ESP_PARTITION_TYPE_DATA && subtype == ESP_PARTITION_SUBTYPE_ANY &&
                      strcmp(label, "rnn_edge") == 0;
    return is_it ? &partition : NULL;
}

esp_err_t esp_partition_read(const esp_partition_t *from, size_t src_offset, void *dst,
                             size_t size) {
    if (src_offset + size > from->size) {
        return ESP_FAIL;
    }
    memcpy(dst, flash + src_offset, size);
    return ESP_OK;
}

esp_err_t esp_partition_write(const esp_partition_t *to, size_t dst_offset, const void *src,
                              size_t size) {
    if (dst_offset + size > to->size) {
        return ESP_FAIL;
    }
    for (size_t k = 0; k < size; ++k) {
        flash[dst_offset + k] &= ((const uint8_t *)src)[k];
    }
    return ESP_OK;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *of, size_t offset, size_t size) {
    if (offset % 4096 != 0 || size % 4096 != 0 || offset + size > of->size) {
        return ESP_FAIL;
    }
    memset(flash + offset, 0xFF, size);
    return ESP_OK;
}

void vTaskDelay(TickType_t ticks) {
    (void)line_has_bytes((int)ticks);
}

UBaseType_t uxTaskGetStackHighWaterMark(void *task) {
    return task == NULL ? 5000 : 0;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *to, TickType_t wait) {
    (void)queue;
    (void)to;
    (void)wait;
    return pdFALSE;
}

esp_err_t gpio_reset_pin(gpio_num_t pin) {
    return pin >= 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t gpio_set_direction(gpio_num_t pin, gpio_mode_t mode) {
    return pin >= 0 && mode == GPIO_MODE_OUTPUT ? ESP_OK : ESP_FAIL;
}

esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level) {
    return pin >= 0 && level <= 1 ? ESP_OK : ESP_FAIL;
}

/* The driver refuses a buffer that is not larger than the hardware's. */
esp_err_t uart_driver_install(uart_port_t uart, int rx, int tx, int queue_size,
                              QueueHandle_t *queue, int flags) {
    *queue = NULL;
    return uart == UART_NUM_0 && rx > 128 && (tx == 0 || tx > 128) && queue_size > 0 && flags == 0
               ? ESP_OK
               : ESP_FAIL;
}

esp_err_t uart_param_config(uart_port_t uart, const uart_config_t *config) {
    return uart == UART_NUM_0 && config->baud_rate == 115200 ? ESP_OK : ESP_FAIL;
}

esp_err_t uart_wait_tx_done(uart_port_t uart, TickType_t wait) {
    (void)wait;
    return uart == UART_NUM_0 ? ESP_OK : ESP_FAIL;
}

int uart_read_bytes(uart_port_t uart, void *to, uint32_t length, TickType_t wait) {
    (void)wait;
    return uart == UART_NUM_0 ? (int)line_read(to, length) : -1;
}

int uart_write_bytes(uart_port_t uart, const void *from, size_t size) {
    if (uart != UART_NUM_0) {
        return -1;
    }
    line_write(from, size);
    return (int)size;
}

void app_main(void);

int main(void) {
    flash = line_flash(partition.size);
    app_main();
    return 0;
}
