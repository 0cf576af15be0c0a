/*
 * A model behind frames, over standard input and output or over a pseudo-terminal.
 *
 *   link          serves standard input and output until the input ends
 *   link --pty    prints the path of a pseudo-terminal and serves it until standard input ends
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "rnn_edge_link_server.h"

enum { END_DONE = 0, END_UNHEARD = 100, END_NO_TERMINAL = 103 };

static rnn_edge_link_server server;
static uint8_t received[4096];

/* Frames are written in pieces; a system call for each would cost more than a step. */
typedef struct {
    int to;
    size_t filled;
    uint8_t bytes[4096];
} output;

static output answers;

/* A process shares its processor, so that a clock says little about one step. */
void rnn_edge_platform_start_ticks(void) {
}

uint32_t rnn_edge_platform_ticks(void) {
    return 0;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

/* Waits until the terminal takes bytes again. False: whoever started the program has gone. */
static bool wait_for_room(int to) {
    struct pollfd watched[2] = {{to, POLLOUT, 0}, {STDIN_FILENO, POLLIN, 0}};
    return (poll(watched, 2, -1) >= 0 || errno == EINTR) && watched[1].revents == 0;
}

static bool flush(output *out) {
    size_t at = 0;
    while (at < out->filled) {
        const ssize_t sent = write(out->to, out->bytes + at, out->filled - at);
        if (sent < 0 && (errno == EINTR || (errno == EAGAIN && wait_for_room(out->to)))) {
            continue;
        }
        if (sent < 0) {
            return false;
        }
        at += (size_t)sent;
    }
    out->filled = 0;
    return true;
}

static bool put(void *context, const uint8_t *bytes, size_t count) {
    output *out = context;
    while (count != 0) {
        const size_t room = sizeof out->bytes - out->filled;
        const size_t part = count < room ? count : room;
        memcpy(out->bytes + out->filled, bytes, part);
        out->filled += part;
        bytes += part;
        count -= part;
        if (out->filled == sizeof out->bytes && !flush(out)) {
            return false;
        }
    }
    return true;
}

/* Returns the side of the device, which the host's side keeps open when a host goes; or -1. */
static int open_terminal(void) {
    const int device = posix_openpt(O_RDWR | O_NOCTTY);
    /* A host that leaves without reading must not keep the program for ever. */
    if (device < 0 || fcntl(device, F_SETFL, O_NONBLOCK) != 0 || grantpt(device) != 0 ||
        unlockpt(device) != 0) {
        return -1;
    }
    const char *path = ptsname(device);
    const int host = path == NULL ? -1 : open(path, O_RDWR | O_NOCTTY);
    struct termios line;
    if (host < 0 || tcgetattr(host, &line) != 0) {
        return -1;
    }
    /* Bytes are bytes: no echo, no lines, no signals, no translation. */
    line.c_iflag = 0;
    line.c_oflag = 0;
    line.c_lflag = 0;
    line.c_cc[VMIN] = 1;
    line.c_cc[VTIME] = 0;
    if (tcsetattr(host, TCSANOW, &line) != 0 || printf("%s\n", path) < 0 || fflush(stdout) != 0) {
        return -1;
    }
    return device;
}

static int serve(int from) {
    struct pollfd watched[2] = {{from, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        if (poll(watched, 2, -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            return END_UNHEARD;
        }
        if (from != STDIN_FILENO && watched[1].revents != 0) {
            /* Whoever started the program has gone. */
            return END_DONE;
        }
        const ssize_t taken = read(from, received, sizeof received);
        if (taken < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (taken <= 0) {
            return END_DONE;
        }
        if (!rnn_edge_link_server_feed(&server, received, (size_t)taken) || !flush(&answers)) {
            return END_UNHEARD;
        }
    }
}

int main(int argc, char **argv) {
    const bool is_terminal = argc > 1 && strcmp(argv[1], "--pty") == 0;
    const int from = is_terminal ? open_terminal() : STDIN_FILENO;
    if (from < 0) {
        return END_NO_TERMINAL;
    }
    answers.to = is_terminal ? from : STDOUT_FILENO;
    rnn_edge_link_server_begin(&server, put, &answers);
    return serve(from);
}
