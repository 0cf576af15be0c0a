// The microphones of Arduino's own boards that have one on a PDM bus.
//
// On other boards, or with a microphone on I2S or an ADC, whatever has samples hands them over with
// rnn_edge_app_push_samples: from an interrupt, any number at a time.
//
// Source: Arduino, "PDM library": begin, onReceive, available, read; the callback is an interrupt.
#include <Arduino.h>

#include "rnn_edge_device_microphone.h"

#include "rnn_edge_config.h"

#include "rnn_edge_app.h"

#if defined(ARDUINO_ARDUINO_NANO33BLE) || defined(ARDUINO_NANO_RP2040_CONNECT) ||                  \
    defined(ARDUINO_NICLA_VISION)
#define BOARD_HAS_MICROPHONE 1
#else
#define BOARD_HAS_MICROPHONE 0
#endif

#if defined(RNN_EDGE_APP_SAMPLES) && BOARD_HAS_MICROPHONE
#if RNN_EDGE_APP_SAMPLES == RNN_EDGE_SAMPLES_SOUND

#include <PDM.h>

static int16_t pcm[256];

static void hear() {
    size_t left = static_cast<size_t>(PDM.available());
    while (left >= sizeof pcm[0]) {
        const int count = PDM.read(pcm, left < sizeof pcm ? left : sizeof pcm);
        if (count <= 0) {
            break;
        }
        // What finds no room is counted by the application, and told to a host that asks.
        rnn_edge_app_push_samples(pcm, static_cast<size_t>(count) / sizeof pcm[0]);
        left -= static_cast<size_t>(count);
    }
}

bool rnn_edge_device_microphone_begin() {
    PDM.onReceive(hear);
    return PDM.begin(1, static_cast<int>(RNN_EDGE_APP_SAMPLE_RATE_MHZ / 1000)) != 0;
}

#define HAS_BEGUN 1
#endif
#endif

#ifndef HAS_BEGUN
bool rnn_edge_device_microphone_begin() {
    return false;
}
#endif
