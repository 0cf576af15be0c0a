/*
 * From samples in pieces of any size to frames.
 */
#include "rnn_edge_frontend.h"

#include "rnn_edge_fixedpoint.h"

/* Copies upwards: `to` may lie below `from` in the same buffer. */
static void copy(int16_t *to, const int16_t *from, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        to[k] = from[k];
    }
}

bool rnn_edge_frontend_feed(const rnn_edge_frontend_config *config,
                            const rnn_edge_frontend_memory *memory, const int16_t *pcm,
                            size_t count, size_t *taken) {
    rnn_edge_frontend_position *const position = memory->position;
    const uint32_t window = config->window_samples;
    const uint32_t missing = window - position->filled;
    const uint32_t now = count < missing ? (uint32_t)count : missing;
    copy(memory->pcm + position->filled, pcm, now);
    *taken = now;
    if (now < missing) {
        position->filled = (uint16_t)(position->filled + now);
        return false;
    }
    rnn_edge_frontend_spectrum(config, memory->pcm, memory->spectrum);
    rnn_edge_frontend_bands(config, memory->spectrum, memory->raw);
    if (config->noise != NULL) {
        rnn_edge_frontend_denoise(config->noise, position->is_level_known != 0U, memory->level,
                                  memory->raw, config->bands);
        position->is_level_known = 1;
    }
    const uint32_t kept = window - config->hop_samples;
    copy(memory->pcm, memory->pcm + config->hop_samples, kept);
    position->filled = (uint16_t)kept;
    return true;
}

void rnn_edge_frontend_normalise(const rnn_edge_frontend_config *config, const int32_t *raw,
                                 int16_t *x) {
    const int64_t half = (int64_t)1 << (config->shift - 1U);
    for (uint32_t k = 0; k < config->bands; ++k) {
        const int64_t scaled = (int64_t)(raw[k] - config->mean[k]) * config->multiplier[k];
        x[k] = rnn_edge_saturate64(rnn_edge_floor_shift64(scaled + half, config->shift));
    }
}
