/*
 * The order of the 16 bytes of a block of weights: 4 rows of a gate by 4 columns, padded with zeros
 * where a gate has fewer. Blocks follow each other by columns, then by rows, then by gates.
 *
 * RNN_EDGE_BLOCK takes the weights row by row, each -127..127, and gives the bytes in the order
 * that the target's inner loop loads them in.
 */
#ifndef RNN_EDGE_PACKING_H
#define RNN_EDGE_PACKING_H

#include "rnn_edge_target.h"

/* The arrays begin at a multiple of this. */
#define RNN_EDGE_BLOCK_ALIGNMENT 16

#define RNN_EDGE_BYTE(value) ((uint8_t)((unsigned)(value)&0xFFU))

#if defined(RNN_EDGE_DSP)

/* A lane is a column of two rows, 256 * high + (low + 128); a word is two columns of them. */
#define RNN_EDGE_LANE(low, high) (uint8_t)((low) + 128), RNN_EDGE_BYTE(high)
#define RNN_EDGE_BLOCK(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3)             \
    RNN_EDGE_LANE(a0, b0), RNN_EDGE_LANE(a1, b1), RNN_EDGE_LANE(c0, d0), RNN_EDGE_LANE(c1, d1),    \
        RNN_EDGE_LANE(a2, b2), RNN_EDGE_LANE(a3, b3), RNN_EDGE_LANE(c2, d2), RNN_EDGE_LANE(c3, d3)

#elif defined(RNN_EDGE_V6M)

/* By columns, without a sign. */
#define RNN_EDGE_COLUMN(a, b, c, d)                                                                \
    (uint8_t)((a) + 128), (uint8_t)((b) + 128), (uint8_t)((c) + 128), (uint8_t)((d) + 128)
#define RNN_EDGE_BLOCK(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3)             \
    RNN_EDGE_COLUMN(a0, b0, c0, d0), RNN_EDGE_COLUMN(a1, b1, c1, d1),                              \
        RNN_EDGE_COLUMN(a2, b2, c2, d2), RNN_EDGE_COLUMN(a3, b3, c3, d3)

#elif defined(RNN_EDGE_DOT)

/* By rows. */
#define RNN_EDGE_ROW(a, b, c, d)                                                                   \
    RNN_EDGE_BYTE(a), RNN_EDGE_BYTE(b), RNN_EDGE_BYTE(c), RNN_EDGE_BYTE(d)
#define RNN_EDGE_BLOCK(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3)             \
    RNN_EDGE_ROW(a0, a1, a2, a3), RNN_EDGE_ROW(b0, b1, b2, b3), RNN_EDGE_ROW(c0, c1, c2, c3),      \
        RNN_EDGE_ROW(d0, d1, d2, d3)

#elif defined(RNN_EDGE_COLUMNS) || defined(RNN_EDGE_NEON)

/* By columns. */
#define RNN_EDGE_COLUMN(a, b, c, d)                                                                \
    RNN_EDGE_BYTE(a), RNN_EDGE_BYTE(b), RNN_EDGE_BYTE(c), RNN_EDGE_BYTE(d)
#define RNN_EDGE_BLOCK(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3)             \
    RNN_EDGE_COLUMN(a0, b0, c0, d0), RNN_EDGE_COLUMN(a1, b1, c1, d1),                              \
        RNN_EDGE_COLUMN(a2, b2, c2, d2), RNN_EDGE_COLUMN(a3, b3, c3, d3)

#elif defined(RNN_EDGE_X86)

/* By pairs of columns. */
#define RNN_EDGE_PAIR(left, right) RNN_EDGE_BYTE(left), RNN_EDGE_BYTE(right)
#define RNN_EDGE_BLOCK(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3)             \
    RNN_EDGE_PAIR(a0, a1), RNN_EDGE_PAIR(b0, b1), RNN_EDGE_PAIR(c0, c1), RNN_EDGE_PAIR(d0, d1),    \
        RNN_EDGE_PAIR(a2, a3), RNN_EDGE_PAIR(b2, b3), RNN_EDGE_PAIR(c2, c3), RNN_EDGE_PAIR(d2, d3)

#endif

/* The same for weights of 16 bits, in one order for all targets: for columns 0, 1 and then 2, 3 the
 * two weights of each row, a word that SMLAD takes as it is. */
#define RNN_EDGE_WORDS(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3)             \
    a0, a1, b0, b1, c0, c1, d0, d1, a2, a3, b2, b3, c2, c3, d2, d3

#endif
