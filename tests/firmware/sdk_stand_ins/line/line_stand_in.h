/* Standard input and output in place of a serial port; the program ends with its input. */
#ifndef LINE_STAND_IN_H
#define LINE_STAND_IN_H

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Exit code of a program that starts itself again. */
enum { LINE_RESTARTS = 77 };

/* Waits until there is something to read, or no longer than so many milliseconds. */
static inline int line_has_bytes(int wait_ms) {
    struct pollfd watched = {STDIN_FILENO, POLLIN, 0};
    return poll(&watched, 1, wait_ms) > 0;
}

static inline size_t line_read(uint8_t *to, size_t capacity) {
    if (capacity == 0 || !line_has_bytes(0)) {
        return 0;
    }
    const ssize_t count = read(STDIN_FILENO, to, capacity);
    if (count <= 0) {
        exit(0);
    }
    return (size_t)count;
}

static inline void line_write(const void *bytes, size_t count) {
    const uint8_t *from = (const uint8_t *)bytes;
    while (count != 0) {
        const ssize_t sent = write(STDOUT_FILENO, from, count);
        if (sent < 0) {
            exit(1);
        }
        from += sent;
        count -= (size_t)sent;
    }
}

/* A flash that keeps what is written over a start, in the file that FLASH_STAND_IN names; a new one
 * holds what chips are delivered with. */
static inline uint8_t *line_flash(size_t size) {
    const char *path = getenv("FLASH_STAND_IN");
    const int file = path == NULL ? -1 : open(path, O_RDWR | O_CREAT, 0600);
    const int is_new = file < 0 || lseek(file, 0, SEEK_END) == 0;
    if (file >= 0 && ftruncate(file, (off_t)size) != 0) {
        exit(1);
    }
    const int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    uint8_t *flash = (uint8_t *)mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);
    if (flash == MAP_FAILED) {
        exit(1);
    }
    for (size_t k = 0; is_new && k < size; ++k) {
        flash[k] = 0xFF;
    }
    return flash;
}

#endif
