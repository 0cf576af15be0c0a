/*
 * The stream over a restart: what is saved of it, where, and what a start finds.
 */
#ifndef RNN_EDGE_KEEPER_H
#define RNN_EDGE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "rnn_edge_decision.h"
#include "rnn_edge_served.h"
#include "rnn_edge_store.h"

#ifdef RNN_EDGE_APP_SAMPLES
#include "rnn_edge_front.h"
#define RNN_EDGE_KEPT_FRONT_BYTES RNN_EDGE_FRONT_BYTES
#else
#define RNN_EDGE_KEPT_FRONT_BYTES 0U
#endif

/* Key of the rule u32, restarts by the watchdog u32, the saved stream, the saved decision, and
 * where there is one the saved front end. */
#define RNN_EDGE_KEPT_BYTES                                                                        \
    (8U + RNN_EDGE_SERVED_STREAM_BYTES + RNN_EDGE_DECISION_BYTES + RNN_EDGE_KEPT_FRONT_BYTES)

/* Bytes of each place of a medium, for one record; flash that is erased less often has more. */
#define RNN_EDGE_KEPT_PLACE_BYTES(unit) RNN_EDGE_STORE_PLACE_BYTES(RNN_EDGE_KEPT_BYTES, unit)

typedef enum {
    RNN_EDGE_FROM_ZERO = 0,
    RNN_EDGE_FROM_RAM = 1,
    RNN_EDGE_FROM_FLASH = 2
} rnn_edge_origin;

/* What was found at the start and not taken. */
enum {
    RNN_EDGE_KEPT_DAMAGED = 1,     /* a record that is not whole: the power was cut, or it decays */
    RNN_EDGE_KEPT_OTHER = 2,       /* saved by another model, or with another reset policy */
    RNN_EDGE_KEPT_OTHER_RULE = 4,  /* the state was taken; the decision was made by another rule */
    RNN_EDGE_KEPT_OTHER_FRONT = 8, /* the state was taken; the front end was another one */
    RNN_EDGE_KEPT_HAS_RAM = 16,    /* there is a memory to save to */
    RNN_EDGE_KEPT_HAS_FLASH = 32
};

/* Looks what was saved and goes on from the newest state there is; else from zero. */
void rnn_edge_keeper_begin(void);

rnn_edge_origin rnn_edge_keeper_origin(void);
uint8_t rnn_edge_keeper_found(void);

/* Saves to RAM or to flash. False: there is no such memory, or it failed; what was saved before is
 * still there. */
bool rnn_edge_keeper_save(rnn_edge_origin where);

/* Counts a step, and saves when it is time to. */
void rnn_edge_keeper_stepped(void);

typedef struct {
    uint32_t ram;
    uint32_t flash;
    uint32_t failed;
    uint32_t watchdog_restarts; /* since there was no saved state */
} rnn_edge_keeper_counts;

const rnn_edge_keeper_counts *rnn_edge_keeper_counted(void);

#endif
