/*
 * What forecasts and reconstructions were wrong by, once it is known.
 *
 * The outputs of frame t stand for frames t + o, for every offset o of RNN_EDGE_APP_OFFSETS, one
 * offset behind the other. The error of offset o is that of the sample of frame t + min(o, 0): a
 * forecast is compared when its frame is there, a reconstruction at once. So the last o outputs of
 * every forecast are remembered, and the last frames as far back as reconstructions go.
 */
#ifndef RNN_EDGE_RESIDUALS_H
#define RNN_EDGE_RESIDUALS_H

#include <stdbool.h>
#include <stdint.h>

#include "rnn_edge_app_config.h"
#include "rnn_edge_config.h"

enum {
    RNN_EDGE_RESIDUALS_CHANNELS = RNN_EDGE_APP_CHANNEL_COUNT,
    RNN_EDGE_RESIDUALS_OFFSETS = RNN_EDGE_APP_OFFSET_COUNT,
    RNN_EDGE_RESIDUALS_MASK_BYTES = (RNN_EDGE_APP_CHANNEL_COUNT + 7) / 8
};

/* What one offset is compared with what. */
typedef struct {
    const int16_t *wanted;   /* samples [CHANNELS] */
    const int16_t *found;    /* what the model made of them [CHANNELS] */
    const uint8_t *left_out; /* a bit for each channel that does not count */
} rnn_edge_compared;

void rnn_edge_residuals_begin(void);

/*
 * Looks up what is compared with a frame, then remembers the frame in place of what is forgotten:
 * compared ones are taken one by one, each offset once and in order, before the frame is done.
 *
 * newest    [CHANNELS], of the frame
 * y         [RNN_EDGE_CONFIG_OUTPUTS]
 * left_out  of the frame
 */
rnn_edge_compared rnn_edge_residuals_of(uint32_t offset, const int16_t *newest, const int16_t *y,
                                        const uint8_t *left_out);
void rnn_edge_residuals_done(const int16_t *newest, const int16_t *y, const uint8_t *left_out);

/* The error of a channel: below 2^30 in size, or as much. */
static inline int32_t rnn_edge_residuals_error(const rnn_edge_compared *pair, uint32_t channel) {
    return pair->wanted[channel] * ((int32_t)1 << RNN_EDGE_APP_FRAME_SHIFT) -
           pair->found[channel] * ((int32_t)1 << RNN_EDGE_APP_FORECAST_SHIFT);
}

/* Write or read RNN_EDGE_RESIDUALS_BYTES. Whatever is in them can be, if the masks are some. */
void rnn_edge_residuals_save(uint8_t *to);
bool rnn_edge_residuals_are_possible(const uint8_t *from);
void rnn_edge_residuals_restore(const uint8_t *from);

#endif
