/*
 * Numbers as bytes, the same on every machine, and their check sum.
 */
#ifndef RNN_EDGE_BYTES_H
#define RNN_EDGE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as in IEEE 802.3 and zlib. */
uint32_t rnn_edge_crc32(const uint8_t *bytes, size_t count);

static inline void rnn_edge_put32(uint8_t *to, uint32_t value) {
    for (unsigned k = 0; k < 4; ++k) {
        to[k] = (uint8_t)(value >> (8 * k));
    }
}

static inline uint32_t rnn_edge_get32(const uint8_t *from) {
    uint32_t value = 0;
    for (unsigned k = 0; k < 4; ++k) {
        value |= (uint32_t)from[k] << (8 * k);
    }
    return value;
}

#endif
