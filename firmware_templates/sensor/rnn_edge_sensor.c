/*
 * From rows of raw samples in pieces of any size to frames.
 *
 * Sums of a window are carried from row to row: what leaves an overlapping window is taken from
 * them again, exactly, as they are integers.
 */
#include "rnn_edge_sensor.h"

#include "rnn_edge_fixedpoint.h"

/* Adds what rnn_edge_sensor_judge gave. */
static void add(rnn_edge_sensor_sums *sums, int32_t judged) {
    const int32_t value = rnn_edge_floor_shift32(judged, 2);
    sums->sum += value;
    sums->squares += (uint64_t)((int64_t)value * value);
    sums->missing = (uint16_t)(sums->missing + ((uint32_t)judged & 1U));
    sums->clipped = (uint16_t)(sums->clipped + (((uint32_t)judged >> 1) & 1U));
}

static void take_away(rnn_edge_sensor_sums *sums, int32_t judged) {
    const int32_t value = rnn_edge_floor_shift32(judged, 2);
    sums->sum -= value;
    sums->squares -= (uint64_t)((int64_t)value * value);
    sums->missing = (uint16_t)(sums->missing - ((uint32_t)judged & 1U));
    sums->clipped = (uint16_t)(sums->clipped - (((uint32_t)judged >> 1) & 1U));
}

static void clear(const rnn_edge_sensor_config *config, rnn_edge_sensor_sums *sums) {
    static const rnn_edge_sensor_sums none = {0};
    for (uint32_t k = 0; k < config->channels; ++k) {
        sums[k] = none;
    }
}

uint32_t rnn_edge_sensor_root(uint64_t value) {
    uint64_t rest = value;
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 60; bit != 0U; bit >>= 2) {
        const uint64_t trial = root + bit;
        root >>= 1;
        if (rest >= trial) {
            rest -= trial;
            root += bit;
        }
    }
    return (uint32_t)root;
}

static bool is_silent(const rnn_edge_sensor_health *health) {
    return (health->fault & RNN_EDGE_SENSOR_SILENT) != 0U;
}

static uint8_t flags_of(const rnn_edge_sensor_config *config, uint32_t k,
                        const rnn_edge_sensor_health *health, const rnn_edge_sensor_sums *sums) {
    const uint32_t limit = config->channel[k].stuck_samples;
    uint32_t flags = health->fault;
    if (sums->missing != 0U) {
        flags |= RNN_EDGE_SENSOR_MISSING;
    }
    if (limit != 0U && health->run >= limit) {
        flags |= RNN_EDGE_SENSOR_STUCK;
    }
    if (sums->clipped != 0U) {
        flags |= RNN_EDGE_SENSOR_RANGE;
    }
    if (is_silent(health) || 2U * sums->missing >= config->window_samples) {
        flags |= RNN_EDGE_SENSOR_SKIPPED;
    }
    return (uint8_t)flags;
}

static void finish(const rnn_edge_sensor_config *config, const rnn_edge_sensor_memory *memory,
                   int32_t *raw, uint8_t *flags) {
    for (uint32_t k = 0; k < config->channels; ++k) {
        const rnn_edge_sensor_sums *const sums = &memory->sums[k];
        flags[k] = flags_of(config, k, &memory->health[k], sums);
        if (!is_silent(&memory->health[k])) {
            raw[k] = sums->sum;
            if (config->has_deviation != 0U) {
                const int64_t sum = sums->sum;
                const uint64_t squares = sums->squares * config->window_samples;
                raw[config->channels + k] =
                    (int32_t)rnn_edge_sensor_root(squares - (uint64_t)(sum * sum));
            }
        }
    }
}

/* Takes a row into the window. */
static void enter(const rnn_edge_sensor_config *config, const rnn_edge_sensor_memory *memory,
                  const int32_t *row) {
    rnn_edge_sensor_position *const position = memory->position;
    const uint32_t channels = config->channels;
    const bool is_between = position->wait != 0U;
    const uint32_t behind = (uint32_t)position->at + position->filled;
    const uint32_t place =
        behind < config->window_samples ? behind : behind - config->window_samples;
    for (uint32_t k = 0; k < channels; ++k) {
        const int32_t judged =
            rnn_edge_sensor_judge(config, &config->channel[k], &memory->health[k], row[k]);
        if (!is_between) {
            add(&memory->sums[k], judged);
            if (memory->ring != NULL) {
                memory->ring[place * channels + k] = judged;
            }
        }
    }
    if (is_between) {
        position->wait = (uint16_t)(position->wait - 1U);
    } else {
        position->filled = (uint16_t)(position->filled + 1U);
    }
}

/* Lets the window go on by a hop. */
static void go_on(const rnn_edge_sensor_config *config, const rnn_edge_sensor_memory *memory) {
    rnn_edge_sensor_position *const position = memory->position;
    const uint32_t channels = config->channels;
    if (memory->ring == NULL) {
        clear(config, memory->sums);
        position->filled = 0;
        position->wait = (uint16_t)(config->hop_samples - config->window_samples);
    } else {
        for (uint32_t row = 0; row < config->hop_samples; ++row) {
            for (uint32_t k = 0; k < channels; ++k) {
                take_away(&memory->sums[k], memory->ring[position->at * channels + k]);
            }
            const uint32_t next = position->at + 1U;
            position->at = next < config->window_samples ? (uint16_t)next : 0U;
        }
        position->filled = (uint16_t)(config->window_samples - config->hop_samples);
    }
}

bool rnn_edge_sensor_feed(const rnn_edge_sensor_config *config,
                          const rnn_edge_sensor_memory *memory, const int32_t *rows, size_t count,
                          int32_t *raw, uint8_t *flags, size_t *taken) {
    size_t row = 0;
    bool has_frame = false;
    while (row < count && !has_frame) {
        enter(config, memory, rows + row * config->channels);
        ++row;
        has_frame = memory->position->filled == config->window_samples;
    }
    *taken = row;
    if (has_frame) {
        finish(config, memory, raw, flags);
        go_on(config, memory);
    }
    return has_frame;
}

void rnn_edge_sensor_normalise(const rnn_edge_sensor_config *config, const int32_t *raw,
                               int16_t *x) {
    const uint32_t channels = config->channels;
    const uint32_t features = config->has_deviation != 0U ? 2U * channels : channels;
    for (uint32_t k = 0; k < features; ++k) {
        const rnn_edge_sensor_scale *const scale = &config->scale[k];
        const int64_t product = (int64_t)raw[k] * scale->multiplier + scale->bias;
        x[k] = rnn_edge_saturate64(rnn_edge_floor_shift64(product, scale->shift));
    }
}

void rnn_edge_sensor_gap(const rnn_edge_sensor_config *config,
                         const rnn_edge_sensor_memory *memory) {
    static const rnn_edge_sensor_position start = {0};
    *memory->position = start;
    clear(config, memory->sums);
    for (uint32_t k = 0; k < config->channels; ++k) {
        rnn_edge_sensor_health *const health = &memory->health[k];
        health->held = 0;
        health->missing = 0;
        health->outside = 0;
        health->good = 0;
    }
}
