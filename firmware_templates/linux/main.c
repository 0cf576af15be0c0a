/*
 * A model behind standard input and output.
 */
#include <errno.h>
#include <unistd.h>

#include "rnn_edge_service.h"

bool rnn_edge_platform_read(uint8_t *to, size_t count) {
    while (count != 0) {
        const ssize_t taken = read(STDIN_FILENO, to, count);
        if (taken < 0 && errno == EINTR) {
            continue;
        }
        if (taken <= 0) {
            return false;
        }
        to += taken;
        count -= (size_t)taken;
    }
    return true;
}

bool rnn_edge_platform_write(const uint8_t *from, size_t count) {
    while (count != 0) {
        const ssize_t sent = write(STDOUT_FILENO, from, count);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return false;
        }
        from += sent;
        count -= (size_t)sent;
    }
    return true;
}

/* A process shares its processor, so that a clock says little about one step. */
void rnn_edge_platform_start_ticks(void) {
}

uint32_t rnn_edge_platform_ticks(void) {
    return 0;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

int main(void) {
    return (int)rnn_edge_service_run();
}
