/*
 * Cuts the power at every single moment of a long run of saves, and looks what is found then.
 *
 *   store_power_cuts UNIT PLACE_BYTES PAYLOAD SAVES ram|flash SEED
 *
 * A moment is a byte or a unit that is about to be written, or a place that is about to be erased.
 * What was under way is then torn: some bits of it are as they were, some as they were to be, some
 * as it happens. Flash is written in whole units, a bit goes from 1 to 0 only, and what is not
 * erased is not written; whoever does otherwise is found out here. After each cut the program
 * starts again, has to find the newest record or the one before it, and goes on to save; the power
 * is then cut once more, at some moment of that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rnn_edge_store.h"

enum { MOST_PLACE = 4096, MOST_PAYLOAD = 512 };

static uint8_t places[2][MOST_PLACE];
static bool is_written[2][MOST_PLACE];
static uint32_t unit;
static uint32_t place_bytes;
static uint32_t payload_bytes;
static bool is_flash;
static long moments_left; /* until the power is cut; negative: it is not */
static bool is_off;
static bool recovers; /* what fails at a moment fails once, and the power stays */
static unsigned failures;
static uint32_t noise;

static void require(bool is_so, const char *what) {
    if (!is_so) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static uint32_t random_bits(void) {
    noise ^= noise << 13;
    noise ^= noise >> 17;
    noise ^= noise << 5;
    return noise;
}

/* Whether the power is still there. */
static bool lives_on(void) {
    if (is_off) {
        return false;
    }
    if (moments_left == 0) {
        is_off = !recovers;
        moments_left = -1;
        return false;
    }
    moments_left -= moments_left > 0 ? 1 : 0;
    return true;
}

static void read_place(unsigned place, uint32_t offset, uint8_t *to, uint32_t count) {
    require(place < 2 && offset + count <= place_bytes, "read beyond a place");
    memcpy(to, places[place] + offset, count);
}

static bool erase_place(unsigned place) {
    require(place < 2, "no such place");
    const bool was_off = is_off;
    const bool is_whole = lives_on();
    if (was_off || !is_flash) {
        return is_whole; /* RAM is left as it is */
    }
    for (uint32_t k = 0; k < place_bytes; ++k) {
        const uint32_t bits = random_bits();
        /* Torn: a byte is what it was, erased, or on its way. */
        const uint8_t torn = bits % 3 == 0 ? places[place][k] : (uint8_t)(bits >> 8);
        places[place][k] = is_whole ? 0xFF : torn;
        is_written[place][k] = !is_whole;
    }
    return is_whole;
}

static bool write_place(unsigned place, uint32_t offset, const uint8_t *from, uint32_t count) {
    require(place < 2 && offset + count <= place_bytes, "write beyond a place");
    require(offset % unit == 0 && count % unit == 0, "write of a part of a unit");
    for (uint32_t at = 0; at < count; at += unit) {
        const bool was_off = is_off;
        const bool is_whole = lives_on();
        if (was_off) {
            return false;
        }
        for (uint32_t k = at; k < at + unit; ++k) {
            uint8_t *byte = &places[place][offset + k];
            if (is_flash) {
                require(!is_written[place][offset + k], "write to what is not erased");
                is_written[place][offset + k] = true;
            }
            const uint8_t wanted = is_flash ? (uint8_t)(*byte & from[k]) : from[k];
            const uint8_t mask = (uint8_t)random_bits();
            *byte = is_whole ? wanted : (uint8_t)((*byte & mask) | (wanted & (uint8_t)~mask));
        }
        if (!is_whole) {
            return false;
        }
    }
    return true;
}

static const rnn_edge_medium *medium(void) {
    static rnn_edge_medium found;
    found = (rnn_edge_medium){"test",     place_bytes, unit,       is_flash,
                              read_place, erase_place, write_place};
    return &found;
}

static void fill(uint8_t *payload, uint64_t number) {
    uint32_t value = (uint32_t)number * UINT32_C(2654435761) + 1;
    for (uint32_t k = 0; k < payload_bytes; ++k) {
        value = value * UINT32_C(1664525) + UINT32_C(1013904223);
        payload[k] = (uint8_t)(value >> 24);
    }
}

/* Opens the store, and holds what it finds to what was saved. Returns the number of the newest. */
static uint64_t open_store(rnn_edge_store *store) {
    static uint8_t payload[MOST_PAYLOAD];
    static uint8_t wanted[MOST_PAYLOAD];
    rnn_edge_store_open(store, medium(), payload_bytes);
    require(store->medium != NULL, "the medium is not used");
    if (store->sequence != 0) {
        require(store->length == payload_bytes, "a record of another length");
        rnn_edge_store_read(store, payload);
        fill(wanted, store->sequence);
        require(memcmp(payload, wanted, payload_bytes) == 0, "a mix of two records");
    }
    return store->sequence;
}

/* Saves numbers first..last. Returns the newest that was said to be saved. */
static uint64_t save_all(rnn_edge_store *store, uint64_t first, uint64_t last) {
    static uint8_t buffer[RNN_EDGE_STORE_BUFFER_BYTES(MOST_PAYLOAD)];
    uint64_t saved = first - 1;
    for (uint64_t number = first; number <= last && !is_off; ++number) {
        fill(buffer + RNN_EDGE_STORE_HEAD_BYTES, number);
        if (rnn_edge_store_write(store, number, buffer, payload_bytes)) {
            saved = number;
        } else {
            require(is_off || recovers, "a save failed that nothing was in the way of");
            ++failures;
        }
    }
    return saved;
}

static void power_on(long moments) {
    is_off = false;
    moments_left = moments;
}

/* Before anything was saved: flash as it leaves the factory, RAM as it happens. */
static void forget(void) {
    for (unsigned place = 0; place < 2; ++place) {
        for (uint32_t k = 0; k < place_bytes; ++k) {
            places[place][k] = is_flash ? 0xFF : (uint8_t)random_bits();
            is_written[place][k] = false;
        }
    }
}

int main(int argc, char **argv) {
    require(argc == 7, "usage: store_power_cuts UNIT PLACE_BYTES PAYLOAD SAVES ram|flash SEED");
    unit = (uint32_t)strtoul(argv[1], NULL, 10);
    place_bytes = (uint32_t)strtoul(argv[2], NULL, 10);
    payload_bytes = (uint32_t)strtoul(argv[3], NULL, 10);
    const uint64_t saves = strtoul(argv[4], NULL, 10);
    is_flash = strcmp(argv[5], "flash") == 0;
    noise = (uint32_t)strtoul(argv[6], NULL, 10) + 1;
    require(place_bytes <= MOST_PLACE && payload_bytes <= MOST_PAYLOAD, "too large");
    long cuts = 0;
    long kept = 0;
    bool was_cut = true;
    for (long moment = 0; was_cut; ++moment) {
        rnn_edge_store store;
        forget();
        power_on(moment);
        require(open_store(&store) == 0, "something in a memory that nothing was saved to");
        uint64_t saved = save_all(&store, 1, saves);
        was_cut = is_off;
        /* Again and again: what a cut left behind must not be in the way of the next start. */
        for (unsigned again = 0; again < 3; ++again) {
            power_on(-1);
            const uint64_t found = open_store(&store);
            require(found == saved || (is_off == false && found == saved + 1),
                    "neither the newest record nor the one that was under way");
            kept += found == saved ? 1 : 0;
            power_on((long)(random_bits() % 40));
            saved = save_all(&store, found + 1, found + 4);
            cuts += is_off ? 1 : 0;
        }
        power_on(-1);
        const uint64_t found = open_store(&store);
        require(found == saved || found == saved + 1, "lost behind another cut");
        require(save_all(&store, found + 1, found + 20) == found + 20, "saves go on");
        require(open_store(&store) == found + 20, "the last save is there");
        cuts += was_cut ? 1 : 0;
    }
    /* A unit that fails: the save is not there, and the next one is. */
    recovers = true;
    for (long moment = 0; failures != 0 || moment == 0; ++moment) {
        rnn_edge_store store;
        forget();
        power_on(moment);
        require(open_store(&store) == 0, "something in a memory that nothing was saved to");
        failures = 0;
        const uint64_t saved = save_all(&store, 1, saves);
        require(failures <= 1, "a save failed behind another one");
        require(store.sequence == saved, "the newest record is not the last one that was saved");
        const uint64_t found = open_store(&store);
        require(found == saved || found == saves, "lost behind a failure");
    }
    printf("%ld cuts, the record before was found %ld times\n", cuts, kept);
    return 0;
}
