// What an Arduino core offers of what rnn_edge_board.h asks for.
//
// Every core has the serial port, the LED and a way to start again. A watchdog and the reason of a
// start have no common interface; they are here for cores on Mbed and for those of Espressif.
#include <Arduino.h>

#include "rnn_edge_board.h"
#include "rnn_edge_cycles.h"

#if defined(ARDUINO_ARCH_MBED)
#include <mbed.h>
#elif defined(ARDUINO_ARCH_ESP32)
#include <esp_system.h>
#endif

extern "C" {

void rnn_edge_platform_start_ticks(void);
uint32_t rnn_edge_platform_ticks(void);
uint32_t rnn_edge_platform_stack_bytes(void);

static uint32_t ticks_began;

static uint32_t ticks_now(void) {
#if defined(ARDUINO_ARCH_ESP32)
    return ESP.getCycleCount();
#else
    return rnn_edge_cycles();
#endif
}

void rnn_edge_platform_start_ticks(void) {
    ticks_began = ticks_now();
}

uint32_t rnn_edge_platform_ticks(void) {
    return (ticks_now() - ticks_began) & 0xFFFFFFu;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

void rnn_edge_board_begin(void) {
    Serial.begin(115200);
#ifdef LED_BUILTIN
    pinMode(LED_BUILTIN, OUTPUT);
#endif
    rnn_edge_cycles_start();
}

size_t rnn_edge_board_receive(uint8_t *to, size_t capacity) {
    size_t count = 0;
    while (count < capacity && Serial.available() > 0) {
        to[count++] = static_cast<uint8_t>(Serial.read());
    }
    return count;
}

// A core does not say what its buffer had no room for; the link notices what is missing.
uint32_t rnn_edge_board_lost(void) {
    return 0;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    // With USB a write may wait for a host that is not there.
    return Serial && Serial.write(bytes, count) == count;
}

void rnn_edge_board_idle(void) {
    yield();
}

void rnn_edge_board_show(bool is_detected) {
#ifdef LED_BUILTIN
    digitalWrite(LED_BUILTIN, is_detected ? HIGH : LOW);
#else
    (void)is_detected;
#endif
}

bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
#if defined(ARDUINO_ARCH_MBED)
    return mbed::Watchdog::get_instance().start(timeout_ms);
#else
    (void)timeout_ms;
    return false;
#endif
}

void rnn_edge_board_feed_watchdog(void) {
#if defined(ARDUINO_ARCH_MBED)
    mbed::Watchdog::get_instance().kick();
#endif
}

rnn_edge_board_start rnn_edge_board_started(void) {
#if defined(ARDUINO_ARCH_MBED) && DEVICE_RESET_REASON
    // Asking may clear it.
    static const reset_reason_t reason = mbed::ResetReason::get();
    switch (reason) {
    case RESET_REASON_POWER_ON:
    case RESET_REASON_BROWN_OUT:
        return RNN_EDGE_START_POWER;
    case RESET_REASON_PIN_RESET:
        return RNN_EDGE_START_PIN;
    case RESET_REASON_SOFTWARE:
        return RNN_EDGE_START_SOFTWARE;
    case RESET_REASON_WATCHDOG:
        return RNN_EDGE_START_WATCHDOG;
    default:
        return RNN_EDGE_START_UNKNOWN;
    }
#elif defined(ARDUINO_ARCH_ESP32)
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
#else
    return RNN_EDGE_START_UNKNOWN;
#endif
}

void rnn_edge_board_restart(void) {
#if defined(ARDUINO_ARCH_ESP32)
    ESP.restart();
#elif defined(__ARM_ARCH) && __ARM_ARCH_PROFILE == 'M'
    // SYSRESETREQ of AIRCR, the same in every Cortex-M.
    *reinterpret_cast<volatile uint32_t *>(0xE000ED0Cu) = 0x05FA0004u;
#else
#error "no way to start this processor again is known here"
#endif
    for (;;) {
    }
}

// What survives a start differs from core to core: nothing is kept.
const rnn_edge_medium *rnn_edge_board_retained(void) {
    return nullptr;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    return nullptr;
}

} // extern "C"
