/*
 * The line, the watchdog and the restart of a process.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#include "rnn_edge_keeper.h"
#include "rnn_edge_linux.h"

enum {
    END_DONE = 0,
    END_UNHEARD = 100,
    NOT_ENDED = -1,
    /* What a pipe takes without waiting as soon as it takes anything. */
    PART_BYTES = 4096,
    PATIENCE_MS = 2000
};

static int from = STDIN_FILENO;
static int to = STDOUT_FILENO;
static int end = NOT_ENDED;
static rnn_edge_board_start cause = RNN_EDGE_START_POWER;
static struct itimerval watchdog;

void (*rnn_edge_linux_start_again)(void);

/* Frames are written in pieces; a system call for each would cost more than a step. */
static uint8_t waiting[PART_BYTES];
static size_t waiting_count;

/* A process shares its processor, so that a clock says little about one step. */
void rnn_edge_platform_start_ticks(void) {
}

uint32_t rnn_edge_platform_ticks(void) {
    return 0;
}

uint32_t rnn_edge_platform_stack_bytes(void) {
    return 0;
}

void rnn_edge_linux_use_standard(void) {
    /* A host that has gone is an end, not a signal. */
    signal(SIGPIPE, SIG_IGN);
}

bool rnn_edge_linux_use_terminal(void) {
    const int device = posix_openpt(O_RDWR | O_NOCTTY);
    if (device < 0 || grantpt(device) != 0 || unlockpt(device) != 0) {
        return false;
    }
    const char *path = ptsname(device);
    /* The host's side stays open when a host goes, and another one finds it as it is. */
    const int host = path == NULL ? -1 : open(path, O_RDWR | O_NOCTTY);
    struct termios line;
    if (host < 0 || tcgetattr(host, &line) != 0) {
        return false;
    }
    /* Bytes are bytes: no echo, no lines, no signals, no translation. */
    line.c_iflag = 0;
    line.c_oflag = 0;
    line.c_lflag = 0;
    line.c_cc[VMIN] = 1;
    line.c_cc[VTIME] = 0;
    if (tcsetattr(host, TCSANOW, &line) != 0 || fcntl(device, F_SETFL, O_NONBLOCK) != 0 ||
        printf("%s\n", path) < 0 || fflush(stdout) != 0) {
        return false;
    }
    from = device;
    to = device;
    rnn_edge_linux_use_standard();
    return true;
}

int rnn_edge_linux_ended(void) {
    return end;
}

/* Whoever started the program holds its standard input; a terminal has a line of its own. */
static bool was_left(const struct pollfd *input) {
    return from != STDIN_FILENO && input->revents != 0;
}

/* Sends what waits; what nobody takes in time is dropped, as a line without a listener does, and
 * nobody is waited for again before somebody takes something. */
static bool flush(void) {
    static bool is_deaf;
    size_t at = 0;
    while (at < waiting_count && end == NOT_ENDED) {
        struct pollfd watched[2] = {{to, POLLOUT, 0}, {STDIN_FILENO, POLLIN, 0}};
        const nfds_t count = from == STDIN_FILENO ? 1 : 2;
        const int ready = poll(watched, count, is_deaf ? 0 : PATIENCE_MS);
        if (was_left(&watched[1])) {
            end = END_DONE;
            break;
        }
        is_deaf = ready == 0;
        if (is_deaf) {
            break;
        }
        const ssize_t sent = ready < 0 ? -1 : write(to, waiting + at, waiting_count - at);
        if (sent >= 0) {
            at += (size_t)sent;
        } else if (errno != EINTR && errno != EAGAIN) {
            end = END_UNHEARD;
        }
    }
    const bool is_sent = at == waiting_count;
    waiting_count = 0;
    return is_sent;
}

void rnn_edge_board_begin(void) {
    waiting_count = 0;
}

size_t rnn_edge_board_receive(uint8_t *bytes, size_t capacity) {
    struct pollfd watched = {from, POLLIN, 0};
    if (poll(&watched, 1, 0) <= 0) {
        return 0;
    }
    const ssize_t taken = read(from, bytes, capacity);
    if (taken > 0) {
        return (size_t)taken;
    }
    if (taken == 0 || (errno != EINTR && errno != EAGAIN)) {
        (void)flush();
        end = end == NOT_ENDED ? END_DONE : end;
    }
    return 0;
}

uint32_t rnn_edge_board_lost(void) {
    return 0;
}

bool rnn_edge_board_send(const uint8_t *bytes, size_t count) {
    while (count != 0) {
        const size_t room = sizeof waiting - waiting_count;
        const size_t part = count < room ? count : room;
        memcpy(waiting + waiting_count, bytes, part);
        waiting_count += part;
        bytes += part;
        count -= part;
        if (waiting_count == sizeof waiting && !flush()) {
            return false;
        }
    }
    return true;
}

void rnn_edge_board_idle(void) {
    (void)flush();
    struct pollfd watched[2] = {{from, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (end == NOT_ENDED && poll(watched, 2, -1) < 0 && errno != EINTR) {
        end = END_UNHEARD;
    }
    if (was_left(&watched[1])) {
        end = END_DONE;
    }
}

void rnn_edge_board_show(bool is_detected) {
    (void)is_detected;
}

static void start_again(rnn_edge_board_start why) {
    (void)flush();
    cause = why;
    rnn_edge_linux_start_again();
}

static void bite(int number) {
    (void)number;
    start_again(RNN_EDGE_START_WATCHDOG);
}

/* Time of the processor, not of the clock: a program that waits or was stopped does not hang. */
bool rnn_edge_board_start_watchdog(uint32_t timeout_ms) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = bite;
    watchdog.it_value.tv_sec = (time_t)(timeout_ms / 1000);
    watchdog.it_value.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000);
    if (sigaction(SIGVTALRM, &action, NULL) != 0) {
        return false;
    }
    rnn_edge_board_feed_watchdog();
    return true;
}

void rnn_edge_board_feed_watchdog(void) {
    if (watchdog.it_value.tv_sec != 0 || watchdog.it_value.tv_usec != 0) {
        setitimer(ITIMER_VIRTUAL, &watchdog, NULL);
    }
}

rnn_edge_board_start rnn_edge_board_started(void) {
    return cause;
}

_Noreturn void rnn_edge_board_restart(void) {
    start_again(RNN_EDGE_START_SOFTWARE);
    abort();
}

enum { RAM_PLACE_BYTES = RNN_EDGE_KEPT_PLACE_BYTES(4) };

static uint8_t ram[2][RAM_PLACE_BYTES];

static void read_ram(unsigned place, uint32_t offset, uint8_t *bytes, uint32_t count) {
    memcpy(bytes, ram[place] + offset, count);
}

static bool erase_ram(unsigned place) {
    (void)place;
    return true;
}

static bool write_ram(unsigned place, uint32_t offset, const uint8_t *bytes, uint32_t count) {
    memcpy(ram[place] + offset, bytes, count);
    return true;
}

const rnn_edge_medium *rnn_edge_board_retained(void) {
    static const rnn_edge_medium medium = {"ram",    RAM_PLACE_BYTES, 4,        false,
                                           read_ram, erase_ram,       write_ram};
    return &medium;
}

const rnn_edge_medium *rnn_edge_board_flash(void) {
    return rnn_edge_linux_flash();
}
