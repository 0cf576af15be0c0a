/*
 * How many bytes a board has to keep while the model steps: what a host may have under way, the
 * frames of a stream or one request.
 */
#ifndef RNN_EDGE_RECEIVE_H
#define RNN_EDGE_RECEIVE_H

#include "rnn_edge_link_server.h"

/* On the wire a content has a zero at both ends, and a code byte before each 254 of it. */
#define RNN_EDGE_RECEIVE_WIRE_BYTES(content) ((content) + (content) / 254 + 3)

enum {
    RNN_EDGE_RECEIVE_STREAM_BYTES =
        RNN_EDGE_LINK_CREDITS *
        RNN_EDGE_RECEIVE_WIRE_BYTES(RNN_EDGE_LINK_CONTENT_BYTES(2 + RNN_EDGE_SERVED_FRAME_BYTES)),
    RNN_EDGE_RECEIVE_REQUEST_BYTES =
        RNN_EDGE_RECEIVE_WIRE_BYTES(RNN_EDGE_LINK_CONTENT_BYTES(RNN_EDGE_LINK_PAYLOAD)),
    RNN_EDGE_RECEIVE_BYTES = RNN_EDGE_RECEIVE_STREAM_BYTES > RNN_EDGE_RECEIVE_REQUEST_BYTES
                                 ? RNN_EDGE_RECEIVE_STREAM_BYTES
                                 : RNN_EDGE_RECEIVE_REQUEST_BYTES
};

#endif
