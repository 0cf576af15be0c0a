/*
 * What is steady in a band: followed, taken away, divided by; all of it in logarithms.
 *
 * The level follows quickly downwards and slowly upwards, so that speech passes over it. Taking
 * power away is adding the logarithm of what is left, dividing is subtracting.
 */
#include "rnn_edge_frontend.h"

#include "rnn_edge_bytes.h"
#include "rnn_edge_frontend_product.h"

enum { STEP_BITS = 13, TABLE_SHIFT = 10, STEPS = RNN_EDGE_SUPPRESSION_ENTRIES - 1 };

/* What to add to a logarithm so far above the level, both at scale 2^-16. */
static int32_t suppression(const int16_t *table, int32_t above) {
    if (above >= (int32_t)STEPS << STEP_BITS) {
        return 0;
    }
    const uint32_t position = above > 0 ? (uint32_t)above : 0U;
    const uint32_t index = position >> STEP_BITS;
    const int32_t rest = (int32_t)(position & ((1U << STEP_BITS) - 1U));
    const int32_t rise = table[index + 1U] - table[index];
    return rnn_edge_floor_shift32(
        table[index] * (1 << STEP_BITS) + rise * rest + (1 << (TABLE_SHIFT - 1)), TABLE_SHIFT);
}

void rnn_edge_frontend_denoise(const rnn_edge_frontend_noise *noise, bool is_level_known,
                               int32_t *level, int32_t *raw, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        const int32_t value = raw[k];
        if (!is_level_known) {
            level[k] = value;
        }
        const int32_t difference = value - level[k];
        level[k] += rnn_edge_product(difference, difference > 0 ? noise->rise : noise->fall);
        int32_t changed = value;
        if (noise->suppression != NULL) {
            changed += suppression(noise->suppression, value - level[k]);
        }
        if (noise->strength != 0) {
            changed -= rnn_edge_product(2 * (level[k] - noise->lowest), noise->strength);
        }
        raw[k] = changed;
    }
}

/* As far as a logarithm and its level can be from 0. */
#define MOST_LEVEL (INT32_C(1) << 22)

static int32_t signed_of(uint32_t bits) {
    return bits <= (uint32_t)INT32_MAX ? (int32_t)bits : -(int32_t)(UINT32_MAX - bits) - 1;
}

void rnn_edge_frontend_save(const rnn_edge_frontend_position *position, const int32_t *level,
                            uint8_t *to, uint32_t count) {
    to[0] = (uint8_t)position->is_level_known;
    for (uint32_t k = 0; k < count; ++k) {
        rnn_edge_put32(to + 1 + 4 * k, (uint32_t)level[k]);
    }
}

bool rnn_edge_frontend_restore(rnn_edge_frontend_position *position, int32_t *level,
                               const uint8_t *from, uint32_t count) {
    if (from[0] > 1) {
        return false;
    }
    for (uint32_t k = 0; k < count; ++k) {
        const int32_t value = signed_of(rnn_edge_get32(from + 1 + 4 * k));
        if (value > MOST_LEVEL || value < -MOST_LEVEL) {
            return false;
        }
    }
    for (uint32_t k = 0; k < count; ++k) {
        level[k] = signed_of(rnn_edge_get32(from + 1 + 4 * k));
    }
    position->is_level_known = from[0];
    position->filled = 0;
    return true;
}
