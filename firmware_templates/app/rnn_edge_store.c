/*
 * A log of records in two places that take turns.
 */
#include "rnn_edge_store.h"

#include <string.h>

#include "rnn_edge_bytes.h"

enum {
    HEAD_BYTES = RNN_EDGE_STORE_HEAD_BYTES,
    CRC_BYTES = RNN_EDGE_STORE_CRC_BYTES,
    LENGTH_OFFSET = 4,
    SEQUENCE_OFFSET = 8,
    PLACES = 2,
    PART_BYTES = 32
};

static const uint8_t MAGIC[LENGTH_OFFSET] = {'R', 'N', 'E', 'K'};

static uint32_t whole_units(const rnn_edge_medium *medium, uint32_t bytes) {
    return (bytes + medium->unit - 1U) / medium->unit * medium->unit;
}

/* The same as rnn_edge_crc32, a part at a time; begins with UINT32_MAX and is inverted at the end.
 */
static uint32_t crc_on(uint32_t crc, const uint8_t *bytes, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) {
        crc ^= bytes[k];
        for (unsigned bit = 0; bit < 8; ++bit) {
            crc = (crc & 1U) != 0 ? (crc >> 1) ^ UINT32_C(0xEDB88320) : crc >> 1;
        }
    }
    return crc;
}

static bool has_crc(const rnn_edge_medium *medium, unsigned place, uint32_t offset,
                    uint32_t count) {
    uint8_t part[PART_BYTES];
    uint32_t crc = UINT32_MAX;
    while (count != 0) {
        const uint32_t next = count < PART_BYTES ? count : PART_BYTES;
        medium->read(place, offset, part, next);
        crc = crc_on(crc, part, next);
        offset += next;
        count -= next;
    }
    medium->read(place, offset, part, CRC_BYTES);
    return rnn_edge_get32(part) == ~crc;
}

typedef enum { NOTHING, DAMAGED, WHOLE } finding;

/* Looks for a record at an offset of a place. */
static finding look(const rnn_edge_medium *medium, unsigned place, uint32_t offset,
                    uint32_t *length, uint64_t *sequence) {
    uint8_t head[HEAD_BYTES];
    const uint32_t left = medium->place_bytes - offset;
    if (left < HEAD_BYTES + CRC_BYTES) {
        return NOTHING;
    }
    medium->read(place, offset, head, HEAD_BYTES);
    if (memcmp(head, MAGIC, sizeof MAGIC) != 0) {
        return NOTHING;
    }
    *length = rnn_edge_get32(head + LENGTH_OFFSET);
    *sequence = (uint64_t)rnn_edge_get32(head + SEQUENCE_OFFSET + 4) << 32 |
                rnn_edge_get32(head + SEQUENCE_OFFSET);
    if (*length > left - HEAD_BYTES - CRC_BYTES || *sequence == 0 || *sequence >= INT64_MAX) {
        return DAMAGED;
    }
    return has_crc(medium, place, offset, HEAD_BYTES + *length) ? WHOLE : DAMAGED;
}

static void search(rnn_edge_store *store, unsigned place) {
    const rnn_edge_medium *medium = store->medium;
    uint64_t before = 0;
    uint32_t offset = 0;
    while (offset < medium->place_bytes) {
        uint32_t length = 0;
        uint64_t sequence = 0;
        const finding found = look(medium, place, offset, &length, &sequence);
        store->has_damage = store->has_damage || found == DAMAGED;
        /* In RAM an older record may stand behind the last one: nothing is cleared there. */
        if (found != WHOLE || sequence <= before) {
            return;
        }
        before = sequence;
        if (sequence > store->sequence) {
            store->sequence = sequence;
            store->length = length;
            store->offset = offset;
            store->place = (uint8_t)place;
        }
        offset += whole_units(medium, HEAD_BYTES + length + CRC_BYTES);
    }
}

void rnn_edge_store_open(rnn_edge_store *store, const rnn_edge_medium *medium,
                         uint32_t payload_bytes) {
    memset(store, 0, sizeof *store);
    if (medium == NULL || medium->unit == 0 || medium->unit > RNN_EDGE_STORE_MOST_UNIT ||
        medium->place_bytes % medium->unit != 0 ||
        medium->place_bytes < whole_units(medium, HEAD_BYTES + payload_bytes + CRC_BYTES)) {
        return;
    }
    store->medium = medium;
    for (unsigned place = 0; place < PLACES; ++place) {
        search(store, place);
    }
}

void rnn_edge_store_read(const rnn_edge_store *store, uint8_t *payload) {
    store->medium->read(store->place, store->offset + HEAD_BYTES, payload, store->length);
}

static uint32_t seal(const rnn_edge_medium *medium, uint64_t sequence, uint8_t *buffer,
                     uint32_t length) {
    memcpy(buffer, MAGIC, sizeof MAGIC);
    rnn_edge_put32(buffer + LENGTH_OFFSET, length);
    rnn_edge_put32(buffer + SEQUENCE_OFFSET, (uint32_t)sequence);
    rnn_edge_put32(buffer + SEQUENCE_OFFSET + 4, (uint32_t)(sequence >> 32));
    const uint32_t checked = HEAD_BYTES + length;
    rnn_edge_put32(buffer + checked, rnn_edge_crc32(buffer, checked));
    const uint32_t total = whole_units(medium, checked + CRC_BYTES);
    memset(buffer + checked + CRC_BYTES, 0xFF, total - checked - CRC_BYTES);
    return total;
}

/* What was asked for may not be what is there, and nobody else would notice. */
static bool is_there(const rnn_edge_medium *medium, unsigned place, uint32_t offset,
                     const uint8_t *buffer, uint32_t total) {
    uint8_t part[PART_BYTES];
    for (uint32_t at = 0; at < total; at += PART_BYTES) {
        const uint32_t count = total - at < PART_BYTES ? total - at : PART_BYTES;
        medium->read(place, offset + at, part, count);
        if (memcmp(part, buffer + at, count) != 0) {
            return false;
        }
    }
    return true;
}

bool rnn_edge_store_write(rnn_edge_store *store, uint64_t sequence, uint8_t *buffer,
                          uint32_t length) {
    const rnn_edge_medium *medium = store->medium;
    if (medium == NULL) {
        return false;
    }
    const uint32_t total = seal(medium, sequence, buffer, length);
    const bool goes_on = store->goes_on && total <= medium->place_bytes - store->end;
    const unsigned other = store->sequence == 0 ? 0U : 1U - store->place;
    const unsigned place = goes_on ? store->place : other;
    const uint32_t offset = goes_on ? store->end : 0U;
    /* Whatever becomes of it, what stands behind the newest record is no longer empty; of another
     * place, it is erased again. */
    store->goes_on = false;
    if ((!goes_on && !medium->erase(place)) || !medium->write(place, offset, buffer, total) ||
        !is_there(medium, place, offset, buffer, total)) {
        return false;
    }
    store->sequence = sequence;
    store->length = length;
    store->offset = offset;
    store->end = offset + total;
    store->place = (uint8_t)place;
    store->goes_on = true;
    return true;
}
