/*
 * A file in place of flash: two places that are erased and written in units.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rnn_edge_keeper.h"
#include "rnn_edge_linux.h"

enum {
    UNIT = 8,
    RECORDS = 4, /* of a place, as in a page of a microcontroller */
    PLACE_BYTES = RECORDS * RNN_EDGE_KEPT_PLACE_BYTES(UNIT),
    ERASED = 0xFF,
    PART_BYTES = 256
};

static int file = -1;

static off_t place_of(unsigned place, uint32_t offset) {
    return (off_t)place * PLACE_BYTES + (off_t)offset;
}

/* What cannot be read is as good as erased. */
static void read_file(unsigned place, uint32_t offset, uint8_t *bytes, uint32_t count) {
    const ssize_t taken = pread(file, bytes, count, place_of(place, offset));
    const size_t filled = taken < 0 ? 0 : (size_t)taken;
    memset(bytes + filled, ERASED, count - filled);
}

static bool write_file(unsigned place, uint32_t offset, const uint8_t *bytes, uint32_t count) {
    return pwrite(file, bytes, count, place_of(place, offset)) == (ssize_t)count &&
           fdatasync(file) == 0;
}

static bool erase_file(unsigned place) {
    uint8_t part[PART_BYTES];
    memset(part, ERASED, sizeof part);
    for (uint32_t at = 0; at < PLACE_BYTES; at += PART_BYTES) {
        const uint32_t left = PLACE_BYTES - at;
        const uint32_t count = left < PART_BYTES ? left : PART_BYTES;
        if (pwrite(file, part, count, place_of(place, at)) != (ssize_t)count) {
            return false;
        }
    }
    return fdatasync(file) == 0;
}

bool rnn_edge_linux_use_file(const char *path) {
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    return file >= 0;
}

const rnn_edge_medium *rnn_edge_linux_flash(void) {
    static const rnn_edge_medium medium = {"flash",   PLACE_BYTES, UNIT,      true,
                                           read_file, erase_file,  write_file};
    return file < 0 ? NULL : &medium;
}
