/*
 * Answers a host over a stream of bytes: who are you, reset, give or take the state, step frames.
 *
 * The host speaks first, with one byte that names a command; numbers are little-endian.
 *
 *   command               argument                      answer
 *   'I' identify          -                             'I', version, digest[16], inputs u32,
 *                                                       outputs u32, state values u32
 *   'R' reset             -                             'R'
 *   'G' get the state     -                             'G', blob
 *   'S' set the state     blob                          'S', status: 0, or -rnn_edge_status
 *   'F' step n frames     n u32, then n frames of       for each frame: outputs i16[],
 *                         inputs i16[]                  state values i16[]
 *   'A' step n frames     as for 'F'                    as for 'F'
 *   'C' counters          -                             'C', steps u32, ticks u64, most ticks of
 *                                                       a step u32, stack bytes u32
 *   'Q' quit              -                             'Q', and the program ends
 *
 * 'F' steps the model and nothing else, so that its bits are those of every engine. 'A' steps it as
 * an application does, under the reset policy that it was exported with; without one both are the
 * same. The policy begins anew with 'R' and with every state that is set.
 *
 * A blob is what rnn_edge_model_save writes. A byte that is no command is answered with '?', and
 * the program ends with RNN_EDGE_SERVICE_LOST: what follows could not be understood.
 *
 * The stream must lose nothing, as a pipe does; rnn_edge_link_server.h serves a line that can.
 */
#ifndef RNN_EDGE_SERVICE_H
#define RNN_EDGE_SERVICE_H

#include "rnn_edge_served.h"

#define RNN_EDGE_SERVICE_VERSION 2

typedef enum {
    RNN_EDGE_SERVICE_DONE = 0,  /* the host is finished, or has gone between two commands */
    RNN_EDGE_SERVICE_LOST = 100 /* the stream broke off in a command or carries no command */
} rnn_edge_service_end;

/* Serves the model of rnn_edge_config.h until the host quits or goes. */
rnn_edge_service_end rnn_edge_service_run(void);

/* What a platform provides, beside the functions of rnn_edge_served.h. */

/* Waits for `count` bytes. False: the stream ended before. */
bool rnn_edge_platform_read(uint8_t *to, size_t count);

/* Sends `count` bytes. False: nobody takes them any more. */
bool rnn_edge_platform_write(const uint8_t *from, size_t count);

#endif
