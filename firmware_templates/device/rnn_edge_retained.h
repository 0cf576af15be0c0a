/*
 * RAM that a start leaves alone, as a medium: whoever includes this says where it lies.
 *
 *     static __noinit rnn_edge_retained_places places;
 *     RNN_EDGE_RETAINED_MEDIUM(places)
 */
#ifndef RNN_EDGE_RETAINED_H
#define RNN_EDGE_RETAINED_H

#include <string.h>

#include "rnn_edge_board.h"
#include "rnn_edge_keeper.h"

enum { RNN_EDGE_RETAINED_UNIT = 4 };

typedef uint8_t rnn_edge_retained_places[2][RNN_EDGE_KEPT_PLACE_BYTES(RNN_EDGE_RETAINED_UNIT)];

#define RNN_EDGE_RETAINED_MEDIUM(places)                                                           \
    static void read_retained(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {      \
        memcpy(to, (places)[place] + offset, count);                                               \
    }                                                                                              \
    static bool erase_retained(unsigned place) {                                                   \
        memset((places)[place], 0xFF, sizeof(places)[place]);                                      \
        return true;                                                                               \
    }                                                                                              \
    static bool write_retained(unsigned place, uint32_t offset, const uint8_t *from,               \
                               uint32_t count) {                                                   \
        memcpy((places)[place] + offset, from, count);                                             \
        return true;                                                                               \
    }                                                                                              \
    const rnn_edge_medium *rnn_edge_board_retained(void) {                                         \
        static const rnn_edge_medium medium = {                                                    \
            "ram",         sizeof(places)[0], RNN_EDGE_RETAINED_UNIT, false,                       \
            read_retained, erase_retained,    write_retained};                                     \
        return &medium;                                                                            \
    }

#endif
