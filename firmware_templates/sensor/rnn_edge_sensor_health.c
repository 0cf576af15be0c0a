/*
 * What is wrong with a sample, and what is taken in its place.
 *
 * A cause of a fault, once found, stays until enough good samples came on end; no sample is good
 * and such a cause at once.
 */
#include "rnn_edge_sensor.h"

enum { IS_MISSING = 1, IS_CLIPPED = 2, MARKS = 4 };

static uint16_t one_more(uint16_t count) {
    return count < UINT16_MAX ? (uint16_t)(count + 1U) : count;
}

static int32_t bounded(int32_t raw, const rnn_edge_sensor_channel *channel) {
    const int32_t below = raw < channel->high ? raw : channel->high;
    return below > channel->low ? below : channel->low;
}

static void find_faults(const rnn_edge_sensor_config *config, rnn_edge_sensor_health *health,
                        bool is_stuck) {
    uint32_t fault = health->fault;
    if (health->missing > config->hold_samples) {
        fault |= RNN_EDGE_SENSOR_FAULT_MISSING;
    }
    if (is_stuck) {
        fault |= RNN_EDGE_SENSOR_FAULT_STUCK;
    }
    if (health->outside >= config->fault_samples) {
        fault |= RNN_EDGE_SENSOR_FAULT_RANGE;
    }
    if (health->good >= config->fault_samples) {
        fault = 0;
    }
    health->fault = (uint8_t)fault;
}

int32_t rnn_edge_sensor_judge(const rnn_edge_sensor_config *config,
                              const rnn_edge_sensor_channel *channel,
                              rnn_edge_sensor_health *health, int32_t raw) {
    if (raw == RNN_EDGE_SENSOR_NONE) {
        health->missing = one_more(health->missing);
        health->good = 0;
        find_faults(config, health, false);
        return health->held * MARKS + IS_MISSING;
    }
    if (health->is_known == 0U || raw != health->previous) {
        health->run = 1;
    } else if (health->run < RNN_EDGE_SENSOR_MOST_RUN) {
        ++health->run;
    } else {
        /* So long a run is any limit's. */
    }
    const int32_t value = bounded(raw, channel);
    const bool is_clipped = value != raw;
    const bool is_stuck = channel->stuck_samples != 0U && health->run >= channel->stuck_samples;
    health->previous = raw;
    health->is_known = 1;
    health->held = value - channel->centre;
    health->missing = 0;
    health->outside = is_clipped ? one_more(health->outside) : 0U;
    health->good = is_clipped || is_stuck ? 0U : one_more(health->good);
    find_faults(config, health, is_stuck);
    return health->held * MARKS + (is_clipped ? IS_CLIPPED : 0);
}
