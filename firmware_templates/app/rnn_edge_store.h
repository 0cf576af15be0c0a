/*
 * Records in a memory that keeps them over a restart, whenever that happens.
 *
 * A record is the newest that was written whole, or the one before it: never a mix, wherever the
 * power is cut. Records of one place follow each other from its beginning; the place that holds
 * the newest one is never erased. After a start the first record goes to the other place, since
 * what stands behind the newest one may have been begun.
 *
 *   offset      bytes  content, little-endian
 *   0           4      'R' 'N' 'E' 'K'
 *   4           4      length of the payload, L
 *   8           8      sequence number, from 1
 *   16          L      payload
 *   16 + L      4      CRC-32 of all bytes before
 *   20 + L             as many bytes 0xFF as make it whole units
 */
#ifndef RNN_EDGE_STORE_H
#define RNN_EDGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "rnn_edge_board.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a record before and behind its payload, without those that fill the last unit. */
#define RNN_EDGE_STORE_HEAD_BYTES 16U
#define RNN_EDGE_STORE_CRC_BYTES 4U

/* The largest unit that a medium may have; one with a larger unit is not used. */
#ifndef RNN_EDGE_STORE_MOST_UNIT
#define RNN_EDGE_STORE_MOST_UNIT 256U
#endif

/* Bytes of a buffer that a record is written from. */
#define RNN_EDGE_STORE_BUFFER_BYTES(payload)                                                       \
    (((payload) + RNN_EDGE_STORE_HEAD_BYTES + RNN_EDGE_STORE_CRC_BYTES +                           \
      RNN_EDGE_STORE_MOST_UNIT - 1U) /                                                             \
     RNN_EDGE_STORE_MOST_UNIT * RNN_EDGE_STORE_MOST_UNIT)

/* Bytes that each place has to have for one record. */
#define RNN_EDGE_STORE_PLACE_BYTES(payload, unit)                                                  \
    (((payload) + RNN_EDGE_STORE_HEAD_BYTES + RNN_EDGE_STORE_CRC_BYTES + (unit)-1U) / (unit) *     \
     (unit))

typedef struct {
    const rnn_edge_medium *medium; /* NULL: there is none, and nothing is kept */
    uint64_t sequence;             /* of the newest record; 0: there is none */
    uint32_t length;               /* of its payload */
    uint32_t offset;               /* where it is */
    uint32_t end;                  /* where the next one goes, unless it goes to the other place */
    uint8_t place;                 /* of the newest record */
    bool goes_on;                  /* the next record stands behind the newest one */
    bool has_damage;               /* a record was found that is not whole */
} rnn_edge_store;

/*
 * Finds the newest record.
 *
 * medium          or NULL
 * payload_bytes   of the records to come; a medium that is too small for one is not used
 */
void rnn_edge_store_open(rnn_edge_store *store, const rnn_edge_medium *medium,
                         uint32_t payload_bytes);

/* Reads the payload of the newest record, [store->length]; there has to be one. */
void rnn_edge_store_read(const rnn_edge_store *store, uint8_t *payload);

/*
 * Writes a record and reads it back. False: it is not there, and the newest one is what it was.
 *
 * sequence  greater than that of the newest record
 * buffer    [RNN_EDGE_STORE_BUFFER_BYTES(length)], the payload at RNN_EDGE_STORE_HEAD_BYTES
 * length    of the payload; at most what the store was opened for
 */
bool rnn_edge_store_write(rnn_edge_store *store, uint64_t sequence, uint8_t *buffer,
                          uint32_t length);

#ifdef __cplusplus
}
#endif

#endif
