/*
 * What is told of the channels: as bits of a frame, and as bytes for later.
 */
#include "rnn_edge_bytes.h"
#include "rnn_edge_sensor.h"

static void set(uint8_t *bits, uint32_t place) {
    bits[place / 8U] = (uint8_t)(bits[place / 8U] | (1U << (place % 8U)));
}

static uint32_t feature_count(const rnn_edge_sensor_config *config) {
    const uint32_t channels = config->channels;
    return config->has_deviation != 0U ? 2U * channels : channels;
}

void rnn_edge_sensor_masks(const rnn_edge_sensor_config *config, const uint8_t *flags,
                           uint8_t *left_out, uint8_t *faulty) {
    const uint32_t channels = config->channels;
    const uint32_t features = feature_count(config);
    for (uint32_t k = 0; k < (features + 7U) / 8U; ++k) {
        left_out[k] = 0;
        faulty[k] = 0;
    }
    for (uint32_t k = 0; k < channels; ++k) {
        if ((flags[k] & RNN_EDGE_SENSOR_SKIPPED) != 0U) {
            set(left_out, k);
            if (config->has_deviation != 0U) {
                set(left_out, channels + k);
            }
        }
        if ((flags[k] & RNN_EDGE_SENSOR_FAULT) != 0U) {
            set(faulty, k);
        }
    }
}

/* The value of 32 bits in two's complement. */
static int32_t signed_of(uint32_t bits) {
    return bits <= (uint32_t)INT32_MAX ? (int32_t)bits : -1 - (int32_t)(UINT32_MAX - bits);
}

void rnn_edge_sensor_save(const rnn_edge_sensor_config *config,
                          const rnn_edge_sensor_health *health, const int32_t *raw, uint8_t *to) {
    for (uint32_t k = 0; k < config->channels; ++k) {
        uint8_t *const own = to + k * RNN_EDGE_SENSOR_SAVED_BYTES;
        rnn_edge_put32(own, (uint32_t)health[k].previous);
        rnn_edge_put32(own + 4, health[k].run);
        own[8] = (uint8_t)(health[k].fault | health[k].is_known);
    }
    uint8_t *const inputs = to + config->channels * RNN_EDGE_SENSOR_SAVED_BYTES;
    for (uint32_t k = 0; k < feature_count(config); ++k) {
        rnn_edge_put32(inputs + k * RNN_EDGE_SENSOR_SAVED_FEATURE_BYTES, (uint32_t)raw[k]);
    }
}

/* Whether this can have been saved. */
static bool is_saved(const rnn_edge_sensor_config *config, const uint8_t *from) {
    const int32_t most = (int32_t)1 << 30;
    for (uint32_t k = 0; k < config->channels; ++k) {
        const uint8_t *const own = from + k * RNN_EDGE_SENSOR_SAVED_BYTES;
        const bool is_flag = (own[8] & ~(RNN_EDGE_SENSOR_FAULT | 1U)) == 0U;
        if (!is_flag || rnn_edge_get32(own + 4) > RNN_EDGE_SENSOR_MOST_RUN) {
            return false;
        }
    }
    const uint8_t *const inputs = from + config->channels * RNN_EDGE_SENSOR_SAVED_BYTES;
    for (uint32_t k = 0; k < feature_count(config); ++k) {
        const int32_t value =
            signed_of(rnn_edge_get32(inputs + k * RNN_EDGE_SENSOR_SAVED_FEATURE_BYTES));
        if (value <= -most || value >= most) {
            return false;
        }
    }
    return true;
}

bool rnn_edge_sensor_restore(const rnn_edge_sensor_config *config,
                             const rnn_edge_sensor_memory *memory, int32_t *raw,
                             const uint8_t *from) {
    if (!is_saved(config, from)) {
        return false;
    }
    rnn_edge_sensor_gap(config, memory);
    for (uint32_t k = 0; k < config->channels; ++k) {
        const uint8_t *const own = from + k * RNN_EDGE_SENSOR_SAVED_BYTES;
        rnn_edge_sensor_health *const health = &memory->health[k];
        health->previous = signed_of(rnn_edge_get32(own));
        health->run = rnn_edge_get32(own + 4);
        health->fault = (uint8_t)(own[8] & RNN_EDGE_SENSOR_FAULT);
        health->is_known = own[8] & 1U;
    }
    const uint8_t *const inputs = from + config->channels * RNN_EDGE_SENSOR_SAVED_BYTES;
    for (uint32_t k = 0; k < feature_count(config); ++k) {
        raw[k] = signed_of(rnn_edge_get32(inputs + k * RNN_EDGE_SENSOR_SAVED_FEATURE_BYTES));
    }
    return true;
}
