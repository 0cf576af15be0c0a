/*
 * Says what the parser finds in standard input: a line for each frame, sent anew, in hex, or
 * "damaged".
 */
#include <stdio.h>
#include <string.h>

#include "rnn_edge_link.h"

enum { PAYLOAD = 700 };

static uint8_t received[RNN_EDGE_LINK_CONTENT_BYTES(PAYLOAD)];
static uint8_t content[RNN_EDGE_LINK_CONTENT_BYTES(PAYLOAD)];

static bool print_bytes(void *context, const uint8_t *bytes, size_t count) {
    for (size_t k = 0; k < count; ++k) {
        fprintf(context, "%02x", (unsigned)bytes[k]);
    }
    return true;
}

int main(void) {
    rnn_edge_link_parser parser;
    rnn_edge_link_begin(&parser, received, sizeof received);
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        rnn_edge_link_frame frame;
        switch (rnn_edge_link_feed(&parser, (uint8_t)byte, &frame)) {
        case RNN_EDGE_LINK_FRAME:
            memcpy(content + RNN_EDGE_LINK_HEADER_BYTES, frame.payload, frame.length);
            rnn_edge_link_send(content,
                               rnn_edge_link_seal(content, frame.type, frame.session,
                                                  frame.sequence, frame.length),
                               print_bytes, stdout);
            puts("");
            break;
        case RNN_EDGE_LINK_DAMAGED:
            puts("damaged");
            break;
        case RNN_EDGE_LINK_NOTHING:
            break;
        }
    }
    return 0;
}
