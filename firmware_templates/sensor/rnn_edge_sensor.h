/*
 * Frames of sensor channels, from raw samples, in integers alone.
 *
 * A generated configuration and a few buffers of the caller's make a front end; NAME_sensor.h of an
 * export wraps both for its model. No heap, no floating point, no library beyond memory functions;
 * every function is reentrant. The arithmetic is that of IntegerWindows in Python, to the bit, on
 * every processor.
 *
 * What is wrong with a sample is found here: it is missing, out of range, or the same for too long.
 * The flags of a frame say so, and which channels count in it.
 */
#ifndef RNN_EDGE_SENSOR_H
#define RNN_EDGE_SENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A raw sample that is missing. */
#define RNN_EDGE_SENSOR_NONE INT32_MIN

/* Flags of a channel and frame. */

/* A sample of the frame's window was missing, and the channel's last value was held. */
#define RNN_EDGE_SENSOR_MISSING 0x01U
/* At the end of the frame the channel repeats its value for longer than it ever may. */
#define RNN_EDGE_SENSOR_STUCK 0x02U
/* A sample of the frame's window was out of range, and clipped. */
#define RNN_EDGE_SENSOR_RANGE 0x04U
/* The channel counts nothing in this frame: its sensor is silent, or half of the window's samples
 * were missing. */
#define RNN_EDGE_SENSOR_SKIPPED 0x08U
/* At the end of the frame the sensor has failed, and why. */
#define RNN_EDGE_SENSOR_FAULT_MISSING 0x10U
#define RNN_EDGE_SENSOR_FAULT_STUCK 0x20U
#define RNN_EDGE_SENSOR_FAULT_RANGE 0x40U
#define RNN_EDGE_SENSOR_FAULT                                                                      \
    (RNN_EDGE_SENSOR_FAULT_MISSING | RNN_EDGE_SENSOR_FAULT_STUCK | RNN_EDGE_SENSOR_FAULT_RANGE)
/* It is silent, as a sensor is not that is out of range: the channel's inputs are those of the last
 * frame in which it was not. */
#define RNN_EDGE_SENSOR_SILENT (RNN_EDGE_SENSOR_FAULT_MISSING | RNN_EDGE_SENSOR_FAULT_STUCK)

/* A value is the same for a million samples at most, as far as anybody counts. */
#define RNN_EDGE_SENSOR_MOST_RUN UINT32_C(1000000)

/* Constants of a channel. */
typedef struct {
    /* Raw samples below and above are clipped; -2^30 <= low <= high <= 2^30. */
    int32_t low;
    int32_t high;
    /* Sums are taken from here; times the window, neither low nor high is 2^30 away from it, and
     * neither is 2^28 away. */
    int32_t centre;
    /* Equal samples on end with which the sensor has failed, at most a million; 0 for never. */
    uint32_t stuck_samples;
} rnn_edge_sensor_channel;

/* Constants of a feature: x = floor((n * multiplier + bias) / 2^shift), saturated, where n is the
 * sum of a window or the window times its deviation, below 2^30. */
typedef struct {
    int64_t bias;       /* at most 2^61 + 2^60 in magnitude */
    int32_t multiplier; /* positive */
    uint32_t shift;     /* 1 to 61 */
} rnn_edge_sensor_scale;

/* Constants of a front end, generated. */
typedef struct {
    uint16_t channels;
    uint16_t window_samples; /* 1 to 4096 */
    uint16_t hop_samples;    /* 1 to 4096 */
    uint16_t hold_samples;   /* up to 65534 */
    uint16_t fault_samples;  /* at least 1 */
    uint16_t has_deviation;
    const rnn_edge_sensor_channel *channel; /* [channels] */
    const rnn_edge_sensor_scale *scale;     /* [channels], with has_deviation [2 * channels] */
} rnn_edge_sensor_config;

/* How a channel is; zero at the start. */
typedef struct {
    int32_t previous; /* the last raw sample that was there, if is_known */
    int32_t held;     /* from the centre; what is taken for a missing sample */
    uint32_t run;     /* samples on end with this value, at most a million */
    uint16_t missing; /* samples on end that are missing, at most 65535, as the next two */
    uint16_t outside; /* out of range */
    uint16_t good;    /* with which nothing is wrong */
    uint8_t fault;    /* flags */
    uint8_t is_known;
} rnn_edge_sensor_health;

/* What is carried of a channel's window; zero at its start. */
typedef struct {
    uint64_t squares;
    int32_t sum;
    uint16_t missing;
    uint16_t clipped;
} rnn_edge_sensor_sums;

/* What is carried from row to row beside the buffers; zero at the start. */
typedef struct {
    uint16_t filled; /* rows in the window */
    uint16_t at;     /* oldest row of the ring */
    uint16_t wait;   /* rows before the next window begins */
    uint16_t unused; /* 0 */
} rnn_edge_sensor_position;

/* The buffers of one front end; none may overlap another. */
typedef struct {
    rnn_edge_sensor_position *position;
    rnn_edge_sensor_health *health; /* [channels] */
    rnn_edge_sensor_sums *sums;     /* [channels] */
    /* [window_samples * channels], where windows overlap; else NULL. */
    int32_t *ring;
} rnn_edge_sensor_memory;

/*
 * Takes rows until a frame is complete.
 *
 * rows: [count * channels], int32 of any value.
 * raw: [features], carried; 0 at the start. Written where a frame was completed, but for sensors
 *     that are silent: sums of the window from the centre, then window times deviations, below
 *     2^30 in magnitude.
 * flags: [channels], written where a frame was completed.
 * taken: set to how many rows were taken, at most count.
 *
 * Returns true when a frame was completed. False: all rows were taken and more are needed.
 */
bool rnn_edge_sensor_feed(const rnn_edge_sensor_config *config,
                          const rnn_edge_sensor_memory *memory, const int32_t *rows, size_t count,
                          int32_t *raw, uint8_t *flags, size_t *taken);

/* A frame raw [features] to a model's input x [features], saturated. */
void rnn_edge_sensor_normalise(const rnn_edge_sensor_config *config, const int32_t *raw,
                               int16_t *x);

/* After a gap in the samples: window and held values are forgotten, faults and values that are
 * repeated are not. */
void rnn_edge_sensor_gap(const rnn_edge_sensor_config *config,
                         const rnn_edge_sensor_memory *memory);

/* The flags of a frame, [channels], as bits: feature d is bit d % 8 of byte d / 8.
 *
 * left_out: [(features + 7) / 8], set for each feature of a channel that is skipped.
 * faulty: the same, set where the sensor has failed, for the first of its features only.
 */
void rnn_edge_sensor_masks(const rnn_edge_sensor_config *config, const uint8_t *flags,
                           uint8_t *left_out, uint8_t *faulty);

/* Bytes that are saved of a channel, and of a feature besides. */
#define RNN_EDGE_SENSOR_SAVED_BYTES 9U
#define RNN_EDGE_SENSOR_SAVED_FEATURE_BYTES 4U

/*
 * What outlives a gap, as bytes that are the same on every machine: faults, for how long each
 * value has been the same, and the last frame raw [features];
 * [channels * RNN_EDGE_SENSOR_SAVED_BYTES + features * RNN_EDGE_SENSOR_SAVED_FEATURE_BYTES].
 *
 * What is restored goes on as behind a gap. It is taken only where it can be: false, and nothing
 * has changed, where a number is out of its range.
 */
void rnn_edge_sensor_save(const rnn_edge_sensor_config *config,
                          const rnn_edge_sensor_health *health, const int32_t *raw, uint8_t *to);
bool rnn_edge_sensor_restore(const rnn_edge_sensor_config *config,
                             const rnn_edge_sensor_memory *memory, int32_t *raw,
                             const uint8_t *from);

/* The parts. */

/* Judges the next raw sample of a channel. Returns what is taken for it: its distance from the
 * centre times 4, plus 1 where it was missing and 2 where it was clipped. */
int32_t rnn_edge_sensor_judge(const rnn_edge_sensor_config *config,
                              const rnn_edge_sensor_channel *channel,
                              rnn_edge_sensor_health *health, int32_t raw);

/* floor(sqrt(value)); value below 2^62. */
uint32_t rnn_edge_sensor_root(uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
