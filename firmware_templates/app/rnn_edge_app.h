/*
 * The application that runs on every board: frames in, decisions out, and a host that may look on.
 *
 *     int main(void) {
 *         rnn_edge_app_begin();
 *         for (;;) {
 *             if (!rnn_edge_app_turn()) {
 *                 rnn_edge_board_idle();
 *             }
 *         }
 *     }
 *
 * What it needs of a board stands in rnn_edge_board.h, what it is made of in rnn_edge_config.h and
 * rnn_edge_app_config.h, which are generated. docs/firmware.md tells what it does.
 */
#ifndef RNN_EDGE_APP_H
#define RNN_EDGE_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rnn_edge_app_config.h"
#include "rnn_edge_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the link that a turn takes at most. */
#ifndef RNN_EDGE_APP_RECEIVE_BYTES
#define RNN_EDGE_APP_RECEIVE_BYTES 64
#endif

/* Whose frames the model steps. */
typedef enum {
    RNN_EDGE_MODE_SENSOR = 0, /* of rnn_edge_app_push, or of its samples; a start begins with it */
    RNN_EDGE_MODE_HOST = 1,   /* of requests of the host, which may set the state too */
    RNN_EDGE_MODE_FED = 2     /* of the host, through the ring in place of the sensor */
} rnn_edge_app_mode;

/* Begins with the board and with the newest state that was saved. */
void rnn_edge_app_begin(void);

/* One turn of the main loop; never waits, and takes one step at most. Returns whether there was
 * anything to do. */
bool rnn_edge_app_turn(void);

/*
 * Hands over the next frame of the sensor; may be called by an interrupt or by another core, by one
 * of them at a time.
 *
 * frame  [RNN_EDGE_CONFIG_INPUTS]
 *
 * False: it was dropped, and counted, because the ring is full or a host has taken the model over.
 */
bool rnn_edge_app_push(const int16_t *frame);

#ifdef RNN_EDGE_APP_SAMPLES

#define RNN_EDGE_SAMPLES_SOUND 1 /* int16_t, one value each */
#define RNN_EDGE_SAMPLES_ROWS 2  /* int32_t, one value of each channel */

/*
 * Hands over the next samples of the sensor, as many as there are; may be called by an interrupt or
 * by another core, by one of them at a time. The main loop makes frames of them.
 *
 * samples  [count][RNN_EDGE_APP_SAMPLE_VALUES]
 *
 * Returns how many were taken. The others were dropped, and counted, because the ring is full or a
 * host has taken the model over: then no frame holds samples from both sides of the gap.
 */
size_t rnn_edge_app_push_samples(const RNN_EDGE_APP_SAMPLE *samples, size_t count);

#endif

/* Takes the model over for a host, or gives it back. What waits is dropped and counted; the state
 * stays, and the front end goes on as behind a gap. To and from RNN_EDGE_MODE_HOST, where the state
 * may become another one, what is detected begins anew. */
void rnn_edge_app_set_mode(rnn_edge_app_mode mode);
rnn_edge_app_mode rnn_edge_app_mode_now(void);

/* For the requests of a host. */

/* As rnn_edge_app_push in RNN_EDGE_MODE_FED; what is not taken is not counted. */
bool rnn_edge_app_feed(const int16_t *frame);

#ifdef RNN_EDGE_APP_SAMPLES
/* The same for samples: returns how many were taken. */
size_t rnn_edge_app_feed_samples(const RNN_EDGE_APP_SAMPLE *samples, size_t count);
#endif

/* Starts again at the end of the turn, with the state as it is then. */
void rnn_edge_app_restart(void);

typedef struct {
    uint32_t frames;      /* of the rings that were stepped */
    uint32_t dropped;     /* frames that were not */
    uint32_t detections;  /* that began */
    uint32_t most_filled; /* frames of the ring that waited at a time */
#ifdef RNN_EDGE_APP_SAMPLES
    uint32_t samples;          /* that the front end took */
    uint32_t lost_samples;     /* that it did not */
    uint32_t gaps;             /* between samples that it took */
    uint32_t most_samples;     /* that waited at a time */
    uint32_t most_front_ticks; /* of the front end in a turn */
    uint64_t front_ticks;      /* of the front end, in all turns together */
    uint64_t decision_ticks;   /* of decisions, likewise */
#endif
} rnn_edge_app_counts;

rnn_edge_app_counts rnn_edge_app_counted(void);

/* Time that a turn may take; 0 where no watchdog runs, as on a board without one, or whose watchdog
 * cannot wait that long. */
uint32_t rnn_edge_app_watchdog_ms(void);

#ifdef __cplusplus
}
#endif

#endif
