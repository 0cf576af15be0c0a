/*
 * The application behind the link: its requests, its notices.
 */
#ifndef RNN_EDGE_APP_LINK_H
#define RNN_EDGE_APP_LINK_H

#include <stddef.h>
#include <stdint.h>

/* Begins without a session. */
void rnn_edge_app_link_begin(void);

/* Takes bytes of the host and answers. */
void rnn_edge_app_link_take(const uint8_t *bytes, size_t count);

/* Tells the host of an event, if there is a host. number: as rnn_edge_log_event gave it. */
void rnn_edge_app_link_notify(uint32_t number);

#endif
