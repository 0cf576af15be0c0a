/*
 * From outputs to detections, in integers: the bits of rnn_edge.reference.decisions.
 *
 * Keywords: the probabilities of the last frames are added up; a keyword is detected where its sum
 * has been at a threshold for long enough, and its last detection is over for long enough. Each
 * keyword has frames, thresholds and times of its own. Alarms: what forecasts or reconstructions
 * were wrong by, squared, each residual over its variance or all over their covariance, is
 * smoothed; there is an alarm where that was above a threshold for long enough. Beside it the
 * faults of sensors are told.
 *
 * What it is made of stands in rnn_edge_app_config.h, which is generated from the bundle.
 */
#ifndef RNN_EDGE_DECISION_H
#define RNN_EDGE_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnn_edge_app_config.h"
#include "rnn_edge_config.h"

#define RNN_EDGE_RULE_NONE 0
#define RNN_EDGE_RULE_KEYWORDS 1
#define RNN_EDGE_RULE_ALARM 2

/* Labels. */
#define RNN_EDGE_DECISION_NOTHING 0
#define RNN_EDGE_DECISION_ALARM 1
/* And the channel: the fault of its sensor. */
#define RNN_EDGE_DECISION_FIRST_FAULT 2

/* Bytes that hold a bit for each channel of an alarm. */
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
#define RNN_EDGE_DECISION_MASK_BYTES ((RNN_EDGE_APP_CHANNEL_COUNT + 7U) / 8U)
#else
#define RNN_EDGE_DECISION_MASK_BYTES 1U
#endif

typedef struct {
    uint8_t label;  /* 1 + output of the keyword, or 1 for an alarm; 0: nothing */
    uint32_t score; /* what the threshold is compared with, at 2^RNN_EDGE_APP_SCORE_EXPONENT */
} rnn_edge_decision;

/*
 * What is known of the sensors behind a frame, for alarms. Channel d, of those that are compared,
 * is bit d % 8 of byte d / 8; bits behind the last channel are 0.
 */
typedef struct {
    const uint8_t *left_out; /* channels that do not count in this frame; NULL: all of them count */
    const uint8_t *faulty;   /* channels whose sensors are faulty; NULL: none is */
} rnn_edge_decision_sensors;

/* What changed with a frame: a detection ends where its own score falls below a second, lower
 * threshold or another label takes its place, so that one that wavers is one. Faults are beside
 * it. */
typedef struct {
    uint8_t ended;                                      /* label, or 0 */
    uint8_t begun;                                      /* label, or 0 */
    uint32_t ended_score;                               /* of the label that ended, now */
    uint8_t faults_begun[RNN_EDGE_DECISION_MASK_BYTES]; /* bits of channels */
    uint8_t faults_ended[RNN_EDGE_DECISION_MASK_BYTES];
} rnn_edge_decision_change;

/* At the start of a stream: nothing was heard, no forecast was made, nothing is detected. */
void rnn_edge_decision_begin(void);

/*
 * Decides on the next frame of a stream.
 *
 * x        [RNN_EDGE_CONFIG_INPUTS], the frame
 * y        [RNN_EDGE_CONFIG_OUTPUTS], what the model gave for it
 * sensors  or NULL: nothing is wrong with them
 * change   overwritten
 */
rnn_edge_decision rnn_edge_decision_update(const int16_t *x, const int16_t *y,
                                           const rnn_edge_decision_sensors *sensors,
                                           rnn_edge_decision_change *change);

/* Behind a gap, or where the model's state was set to zero: forgets the frames before, so that an
 * alarm warms up anew. What is detected stays so, and ends with one of the next frames. */
void rnn_edge_decision_settle(void);

/* What is detected at present: a label, or 0. */
uint8_t rnn_edge_decision_active(void);

/* Whether any sensor is faulty at present. */
bool rnn_edge_decision_is_faulty(void);

/* What it remembers, as bytes; the same on every machine. */
#if RNN_EDGE_APP_RULE == RNN_EDGE_RULE_KEYWORDS
#define RNN_EDGE_DECISION_BYTES                                                                    \
    (1U + (3U + 2U * RNN_EDGE_APP_WINDOW_FRAMES) * RNN_EDGE_CONFIG_OUTPUTS)
#elif RNN_EDGE_APP_RULE == RNN_EDGE_RULE_ALARM
#define RNN_EDGE_DECISION_BYTES                                                                    \
    (1U + RNN_EDGE_DECISION_MASK_BYTES + 12U +                                                     \
     2U * RNN_EDGE_APP_FORECAST_ROWS * RNN_EDGE_APP_CHANNEL_COUNT +                                \
     (2U * RNN_EDGE_APP_CHANNEL_COUNT + RNN_EDGE_DECISION_MASK_BYTES) * RNN_EDGE_APP_FRAME_ROWS)
#else
#define RNN_EDGE_DECISION_BYTES 0U
#endif

/* Write or read RNN_EDGE_DECISION_BYTES. What is read is taken only where it can be: false, and
 * nothing has changed, where a number is out of its range. */
void rnn_edge_decision_save(uint8_t *to);
bool rnn_edge_decision_restore(const uint8_t *from);

#endif
