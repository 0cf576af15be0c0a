/*
 * What an application needs of the board that it runs on.
 *
 * A board is one set of these functions: bare metal has them in parts (firmware_templates/
 * baremetal), an ecosystem writes them on top of its SDK. Nothing here is called from an interrupt,
 * and nothing waits without an end.
 */
#ifndef RNN_EDGE_BOARD_H
#define RNN_EDGE_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why the board started. */
typedef enum {
    RNN_EDGE_START_UNKNOWN = 0,
    RNN_EDGE_START_POWER = 1,    /* power came, or was too low */
    RNN_EDGE_START_PIN = 2,      /* the reset button, or a debugger */
    RNN_EDGE_START_SOFTWARE = 3, /* rnn_edge_board_restart */
    RNN_EDGE_START_WATCHDOG = 4  /* the watchdog was not fed */
} rnn_edge_board_start;

/* Clocks, pins, the link, interrupts: called once, before everything else. */
void rnn_edge_board_begin(void);

/* Bytes of the link that came since the last call, at most `capacity`: 0 where there are none. What
 * comes while a model steps is kept, RNN_EDGE_RECEIVE_BYTES of it or more. */
size_t rnn_edge_board_receive(uint8_t *to, size_t capacity);

/* Bytes of the link that came and were lost, since the start. */
uint32_t rnn_edge_board_lost(void);

/* Sends bytes over the link. False: nobody takes them. */
bool rnn_edge_board_send(const uint8_t *bytes, size_t count);

/* Waits for an interrupt, or not at all: called where there is nothing to do. */
void rnn_edge_board_idle(void);

/* Shows whether something is detected or a sensor is faulty, on an LED where there is one. */
void rnn_edge_board_show(bool is_detected);

/* Starts the watchdog, which restarts the board unless it is fed at least so often; it cannot be
 * stopped. The time that it really has may be longer. False: there is none. */
bool rnn_edge_board_start_watchdog(uint32_t timeout_ms);
void rnn_edge_board_feed_watchdog(void);

/* Why it started; the same until it starts again. */
rnn_edge_board_start rnn_edge_board_started(void);

/* Starts again, as after a press of the reset button. */
#ifdef __cplusplus
[[noreturn]] void rnn_edge_board_restart(void);
#else
_Noreturn void rnn_edge_board_restart(void);
#endif

/*
 * A memory that keeps what is written over a restart, in two places of one size. A place is erased,
 * then written from its beginning to its end in pieces of `unit` bytes; what was not written since
 * reads as 0xFF in flash, and as anything in RAM.
 */
typedef struct {
    const char *name;     /* "ram", "flash" */
    uint32_t place_bytes; /* of each of the two places; a multiple of the unit */
    uint32_t unit;        /* 1, 4, 8, ... */
    bool keeps_without_power;
    void (*read)(unsigned place, uint32_t offset, uint8_t *to, uint32_t count);
    /* False: it failed, and what is there is unknown. */
    bool (*erase)(unsigned place);
    bool (*write)(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count);
} rnn_edge_medium;

/* RAM that a restart leaves alone; it knows nothing after power was off. NULL: there is none. */
const rnn_edge_medium *rnn_edge_board_retained(void);

/* Flash beside the program. NULL: there is none that can be written. */
const rnn_edge_medium *rnn_edge_board_flash(void);

#ifdef __cplusplus
}
#endif

#endif
