/*
 * Any bytes in a memory: opening the store stays within it, what is found is a whole record, and
 * saves go on as if nothing were there.
 */
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_bytes.h"
#include "rnn_edge_store.h"

enum { PLACE = 256, PAYLOAD = 40 };

static uint8_t places[2][PLACE];

static void require(bool is_so) {
    if (!is_so) {
        abort();
    }
}

static void read_place(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {
    require(place < 2 && offset <= PLACE && count <= PLACE - offset);
    memcpy(to, places[place] + offset, count);
}

static bool erase_place(unsigned place) {
    require(place < 2);
    memset(places[place], 0xFF, PLACE);
    return true;
}

static bool write_place(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    require(place < 2 && offset <= PLACE && count <= PLACE - offset);
    memcpy(places[place] + offset, from, count);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte: whether check sums are made right, so that what stands behind them is reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const rnn_edge_medium medium = {"fuzz",     PLACE,       4,          true,
                                           read_place, erase_place, write_place};
    static uint8_t buffer[RNN_EDGE_STORE_BUFFER_BYTES(PAYLOAD)];
    static uint8_t payload[PLACE];
    memset(places, 0xFF, sizeof places);
    const size_t count = size < 1 ? 0 : size - 1;
    memcpy(places, data + (size != 0), count < sizeof places ? count : sizeof places);
    if (size != 0 && data[0] % 2 != 0) {
        for (unsigned k = 0; k < 2; ++k) {
            const uint32_t length = places[k][4] % (PLACE - 20);
            memcpy(places[k], "RNEK", 4);
            rnn_edge_put32(places[k] + 4, length);
            rnn_edge_put32(places[k] + 16 + length, rnn_edge_crc32(places[k], 16 + length));
        }
    }
    rnn_edge_store store;
    rnn_edge_store_open(&store, &medium, PAYLOAD);
    require(store.medium == &medium);
    if (store.sequence != 0) {
        require(store.length <= PLACE - 20 && store.offset <= PLACE - 20 - store.length);
        const uint8_t *record = places[store.place] + store.offset;
        require(memcmp(record, "RNEK", 4) == 0);
        require(rnn_edge_get32(record + 16 + store.length) ==
                rnn_edge_crc32(record, 16 + store.length));
        rnn_edge_store_read(&store, payload);
    }
    const uint64_t first = store.sequence;
    for (uint64_t number = first + 1; number < first + 9; ++number) {
        memset(buffer + RNN_EDGE_STORE_HEAD_BYTES, (int)number, PAYLOAD);
        require(rnn_edge_store_write(&store, number, buffer, PAYLOAD));
        rnn_edge_store found;
        rnn_edge_store_open(&found, &medium, PAYLOAD);
        require(found.sequence == number && found.length == PAYLOAD);
    }
    return 0;
}
