/*
 * Band energies of a spectrum, with one product for each bin.
 *
 * A bin between the peaks of two bands belongs to the upper one with its weight and to the lower
 * one with the rest: the sums of energies and of weighted energies of a segment give both.
 */
#include "rnn_edge_frontend.h"
#include "rnn_edge_frontend_product.h"

enum { WEIGHT_BITS = 15 };

void rnn_edge_frontend_bands(const rnn_edge_frontend_config *config, const int32_t *spectrum,
                             int32_t *raw) {
    const int32_t *bin = spectrum + 2U * (uint32_t)config->first_bin;
    const uint16_t *weight = config->weights;
    uint64_t lower = 0;
    for (uint32_t segment = 0; segment <= config->bands; ++segment) {
        const uint16_t *const end = weight + config->segments[segment];
        uint64_t whole = 0;
        uint64_t rising = 0;
        for (; weight < end; ++weight) {
            const uint64_t power = rnn_edge_power(bin);
            whole += power;
            rising += rnn_edge_weighted(power, *weight);
            bin += 2;
        }
        if (segment > 0U) {
            const uint32_t band = segment - 1U;
            uint64_t energy = lower + ((whole << WEIGHT_BITS) - rising) + config->floor;
            if (config->lone_bins != NULL && config->lone_bins[band] != RNN_EDGE_NO_BIN) {
                energy += rnn_edge_power(spectrum + 2U * (uint32_t)config->lone_bins[band])
                          << WEIGHT_BITS;
            }
            raw[band] = rnn_edge_frontend_log(energy, config->offset);
        }
        lower = rising;
    }
}
