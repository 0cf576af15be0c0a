/*
 * Measures a model on the machine that this runs on, without anything between it and the C.
 *
 *   rnn_edge_profile                serves commands until standard input ends
 *   rnn_edge_profile --once         steps one frame, writes a byte and ends: a cold start
 *   rnn_edge_profile --count STEPS  steps so many frames, for an emulator that counts
 *
 * A command is a line. Its answer is a line too, "ok" with fields NAME=VALUE or "error" with
 * words; where it has the field bytes, so many follow it. Numbers are little-endian on every
 * machine that this is made for.
 *
 *   about                  the clock and the model
 *   frames COUNT           takes COUNT frames i16[inputs], which stand behind the line
 *   trace                  CRC-32 of all outputs and of all states over the frames, from zero
 *   round STEPS            steps as fast as it goes, state carried; u32 nanoseconds of each
 *   paced STEPS PERIOD_NS  steps a frame every period; u32 nanoseconds of each, then u32 from
 *                          the time at which a frame was due until its result was there
 *   power MS PATH          steps for so long, reading a sensor's power in microwatts now and then
 *   idle MS PATH           does the same and sleeps instead
 *   memory                 resident now and at most, and what a step needs of the stack
 *   cold STARTS            u32 nanoseconds from before the start of a process to its first result
 *   read PATH              a file, of which there are at most READ_MOST bytes to tell
 *
 * It ends by itself where nothing comes for PATIENCE_MS: a host that is cut off cannot end it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rnn_edge_config.h"

enum {
    STEPS_MOST = 16384,
    FRAMES_MOST = 65536,
    STARTS_MOST = 256,
    LINE_BYTES = 256,
    READ_MOST = 4096,
    WATCH_MOST_MS = 60000,
    COUNTED_FRAMES = 16,
    STACK_BYTES = 1 << 16,
    PAINT = 0xA5,
    CLOCK_READINGS = 2000,
    PATIENCE_MS = 300000,
    END_DONE = 0,
    END_USAGE = 2,
    END_UNHEARD = 100
};

#define SECOND_NS 1000000000ULL
#define LOOK_NS 20000000ULL

static const rnn_edge_model *const MODEL = &RNN_EDGE_CONFIG_MODEL;

static int16_t state[RNN_EDGE_CONFIG_STATE_VALUES];
static int16_t scratch[RNN_EDGE_CONFIG_SCRATCH_VALUES];
static int16_t result[RNN_EDGE_CONFIG_OUTPUTS];

static int16_t *frames;
static uint32_t frame_count;
static uint32_t next_frame;

static uint32_t taken_ns[STEPS_MOST];
static uint32_t answered_ns[STEPS_MOST];

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

static uint32_t limited(uint64_t value) {
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static bool read_all(uint8_t *to, size_t count) {
    while (count != 0) {
        struct pollfd watched = {STDIN_FILENO, POLLIN, 0};
        const int ready = poll(&watched, 1, PATIENCE_MS);
        const ssize_t part = ready > 0 ? read(STDIN_FILENO, to, count) : ready;
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part <= 0) {
            return false;
        }
        to += part;
        count -= (size_t)part;
    }
    return true;
}

static bool write_all(const void *from, size_t count) {
    const uint8_t *bytes = from;
    while (count != 0) {
        const ssize_t part = write(STDOUT_FILENO, bytes, count);
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part < 0) {
            return false;
        }
        bytes += part;
        count -= (size_t)part;
    }
    return true;
}

/* Byte by byte: what stands behind the line belongs to the command. */
static bool read_line(char line[LINE_BYTES]) {
    for (size_t k = 0; k < LINE_BYTES; ++k) {
        uint8_t byte;
        if (!read_all(&byte, 1)) {
            return false;
        }
        if (byte == '\n') {
            line[k] = '\0';
            return true;
        }
        line[k] = (char)byte;
    }
    return false;
}

static bool tell(const char *words) {
    return write_all(words, strlen(words));
}

static void step(void) {
    rnn_edge_model_step(MODEL, state, scratch, frames + (size_t)next_frame * RNN_EDGE_CONFIG_INPUTS,
                        result);
    next_frame = next_frame + 1 == frame_count ? 0 : next_frame + 1;
}

static bool about(void) {
    struct timespec resolution;
    clock_getres(CLOCK_MONOTONIC, &resolution);
    uint64_t smallest = UINT64_MAX;
    const uint64_t start = now_ns();
    uint64_t before = start;
    for (unsigned k = 0; k < CLOCK_READINGS; ++k) {
        const uint64_t after = now_ns();
        smallest = after > before && after - before < smallest ? after - before : smallest;
        before = after;
    }
    char digest[2 * RNN_EDGE_DIGEST_BYTES + 1];
    for (unsigned k = 0; k < RNN_EDGE_DIGEST_BYTES; ++k) {
        snprintf(digest + 2 * (size_t)k, 3, "%02x", MODEL->digest[k]);
    }
    char line[LINE_BYTES];
    snprintf(line, sizeof line,
             "ok resolution_ns=%ld smallest_ns=%llu reading_ns=%llu dtype=int16 inputs=%u "
             "outputs=%u state_values=%u digest=%s steps=%u\n",
             resolution.tv_nsec, (unsigned long long)smallest,
             (unsigned long long)((before - start) / CLOCK_READINGS),
             (unsigned)RNN_EDGE_CONFIG_INPUTS, (unsigned)RNN_EDGE_CONFIG_OUTPUTS,
             (unsigned)RNN_EDGE_CONFIG_STATE_VALUES, digest, (unsigned)STEPS_MOST);
    return tell(line);
}

static bool take_frames(unsigned long count) {
    if (count == 0 || count > FRAMES_MOST) {
        return tell("error frames: expected 1 to 65536\n");
    }
    const size_t bytes = count * RNN_EDGE_CONFIG_INPUTS * sizeof *frames;
    free(frames);
    frames = malloc(bytes);
    frame_count = 0;
    next_frame = 0;
    if (frames == NULL) {
        return tell("error memory for the frames\n");
    }
    if (!read_all((uint8_t *)frames, bytes)) {
        return false;
    }
    frame_count = (uint32_t)count;
    return tell("ok\n");
}

/* As in IEEE 802.3 and zlib. */
static uint32_t crc_of(uint32_t crc, const void *from, size_t count) {
    const uint8_t *bytes = from;
    crc = ~crc;
    for (size_t k = 0; k < count; ++k) {
        crc ^= bytes[k];
        for (unsigned bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ (0xEDB88320U & (0U - (crc & 1U)));
        }
    }
    return ~crc;
}

static bool trace(void) {
    uint32_t outputs = 0;
    uint32_t states = 0;
    rnn_edge_model_reset(MODEL, state);
    next_frame = 0;
    for (uint32_t k = 0; k < frame_count; ++k) {
        step();
        outputs = crc_of(outputs, result, sizeof result);
        states = crc_of(states, state, sizeof state);
    }
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "ok outputs=%08x states=%08x\n", (unsigned)outputs,
             (unsigned)states);
    return tell(line);
}

static bool round_of(unsigned long steps) {
    const uint64_t used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t start = now_ns();
    uint64_t end = start;
    for (unsigned long k = 0; k < steps; ++k) {
        const uint64_t before = now_ns();
        step();
        end = now_ns();
        taken_ns[k] = limited(end - before);
    }
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "ok elapsed_ns=%llu cpu_ns=%llu bytes=%zu\n",
             (unsigned long long)(end - start),
             (unsigned long long)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used),
             steps * sizeof *taken_ns);
    return tell(line) && write_all(taken_ns, steps * sizeof *taken_ns);
}

static void wait_until(uint64_t due_ns) {
    const struct timespec due = {(time_t)(due_ns / SECOND_NS), (long)(due_ns % SECOND_NS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) {
    }
}

static bool paced(unsigned long steps, unsigned long long period_ns) {
    const uint64_t used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t due = now_ns();
    for (unsigned long k = 0; k < steps; ++k) {
        due += period_ns;
        wait_until(due);
        const uint64_t before = now_ns();
        step();
        const uint64_t end = now_ns();
        taken_ns[k] = limited(end - before);
        answered_ns[k] = limited(end - due);
    }
    char line[LINE_BYTES];
    const size_t bytes = steps * sizeof *taken_ns;
    snprintf(line, sizeof line, "ok cpu_ns=%llu bytes=%zu\n",
             (unsigned long long)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - used), 2 * bytes);
    return tell(line) && write_all(taken_ns, bytes) && write_all(answered_ns, bytes);
}

/* Returns the value of a line of /proc/self/status in bytes; 0 where there is none. */
static unsigned long long status_bytes(const char *name) {
    char line[LINE_BYTES];
    unsigned long long kibibytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            kibibytes = strtoull(line + strlen(name), NULL, 10);
            break;
        }
    }
    fclose(file);
    return kibibytes * 1024;
}

static volatile bool wants_step;

static void on_painted_stack(int number) {
    (void)number;
    if (wants_step) {
        step();
    }
}

/* Bytes of the stack that a signal's handler writes to; 0 where there is no other stack. */
static size_t touched_bytes(bool has_step) {
    static uint8_t painted[STACK_BYTES];
    memset(painted, PAINT, sizeof painted);
    const stack_t other = {.ss_sp = painted, .ss_size = sizeof painted};
    const stack_t none = {.ss_flags = SS_DISABLE};
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_painted_stack;
    action.sa_flags = SA_ONSTACK;
    wants_step = has_step;
    if (sigaltstack(&other, NULL) != 0 || sigaction(SIGUSR1, &action, NULL) != 0 ||
        raise(SIGUSR1) != 0) {
        return 0;
    }
    sigaltstack(&none, NULL);
    size_t k = 0;
    while (k < sizeof painted && painted[k] == PAINT) {
        ++k;
    }
    return sizeof painted - k;
}

static bool memory(void) {
    /* Before the stack that is painted counts as well. */
    const unsigned long long now = status_bytes("VmRSS:");
    const unsigned long long most = status_bytes("VmHWM:");
    const size_t without = touched_bytes(false);
    const size_t with = touched_bytes(true);
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "ok rss_bytes=%llu peak_bytes=%llu stack_bytes=%zu\n", now, most,
             without != 0 && with > without ? with - without : 0);
    return tell(line);
}

/* Starts this program once more. False: it did not come to its first result. */
static bool start_once(uint32_t *took_ns) {
    static char program[] = "/proc/self/exe";
    static char once[] = "--once";
    static char *const arguments[] = {program, once, NULL};
    static char *const environment[] = {NULL};
    int ends[2];
    if (pipe(ends) != 0) {
        return false;
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    pid_t child = 0;
    const uint64_t start = now_ns();
    const bool is_started =
        posix_spawn(&child, program, &actions, NULL, arguments, environment) == 0;
    close(ends[1]);
    uint8_t byte;
    const bool is_there = is_started && read(ends[0], &byte, 1) == 1;
    *took_ns = limited(now_ns() - start);
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);
    return (!is_started || waitpid(child, NULL, 0) == child) && is_there;
}

static bool cold(unsigned long starts) {
    if (starts > STARTS_MOST) {
        return tell("error starts: expected at most 256\n");
    }
    for (unsigned long k = 0; k < starts; ++k) {
        if (!start_once(taken_ns + k)) {
            return tell("error the program does not start once more\n");
        }
    }
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "ok bytes=%zu\n", starts * sizeof *taken_ns);
    return tell(line) && write_all(taken_ns, starts * sizeof *taken_ns);
}

static bool read_file(const char *path) {
    static uint8_t content[READ_MOST];
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t count = file < 0 ? -1 : read(file, content, sizeof content);
    if (file >= 0) {
        close(file);
    }
    if (count < 0) {
        return tell("error it cannot be read\n");
    }
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "ok bytes=%zd\n", count);
    return tell(line) && write_all(content, (size_t)count);
}

/* Returns what a sensor shows; false where it shows nothing. */
static bool look(const char *path, unsigned long long *microwatts) {
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    const bool is_read = fscanf(file, "%llu", microwatts) == 1;
    fclose(file);
    return is_read;
}

static bool watch(unsigned long milliseconds, const char *path, bool has_steps) {
    const uint64_t start = now_ns();
    const uint64_t end = start + milliseconds * 1000000ULL;
    uint64_t next = start + LOOK_NS;
    unsigned long long sum = 0;
    unsigned long long looks = 0;
    unsigned long long steps = 0;
    while (next <= end) {
        if (has_steps) {
            while (now_ns() < next) {
                step();
                ++steps;
            }
        } else {
            wait_until(next);
        }
        next += LOOK_NS;
        unsigned long long microwatts = 0;
        if (*path != '\0' && !look(path, &microwatts)) {
            return tell("error the sensor cannot be read\n");
        }
        sum += microwatts;
        ++looks;
    }
    char line[LINE_BYTES];
    snprintf(line, sizeof line, "ok microwatts=%llu steps=%llu elapsed_ns=%llu\n",
             looks == 0 ? 0 : sum / looks, steps, (unsigned long long)(now_ns() - start));
    return tell(line);
}

static bool answer(const char *line) {
    unsigned long count = 0;
    unsigned long long period_ns = 0;
    int path = 0;
    if (strcmp(line, "about") == 0) {
        return about();
    }
    if (sscanf(line, "frames %lu", &count) == 1) {
        return take_frames(count);
    }
    if (strncmp(line, "read ", 5) == 0) {
        return read_file(line + 5);
    }
    if (sscanf(line, "cold %lu", &count) == 1) {
        return cold(count);
    }
    if (frame_count == 0) {
        return tell("error expected frames first\n");
    }
    if (strcmp(line, "trace") == 0) {
        return trace();
    }
    if (strcmp(line, "memory") == 0) {
        return memory();
    }
    const bool is_busy = sscanf(line, "power %lu %n", &count, &path) == 1 && path != 0;
    if (is_busy || (sscanf(line, "idle %lu %n", &count, &path) == 1 && path != 0)) {
        return count > WATCH_MOST_MS ? tell("error time: expected at most 60000\n")
                                     : watch(count, line + path, is_busy);
    }
    const bool is_paced = sscanf(line, "paced %lu %llu", &count, &period_ns) == 2;
    if (!is_paced && sscanf(line, "round %lu", &count) != 1) {
        return tell("error unknown command\n");
    }
    if (count == 0 || count > STEPS_MOST) {
        return tell("error steps: expected 1 to 16384\n");
    }
    return is_paced ? paced(count, period_ns) : round_of(count);
}

/* Frames that are there without a host: every value of them from a linear congruence. */
static void make_frames(void) {
    static int16_t made[COUNTED_FRAMES * RNN_EDGE_CONFIG_INPUTS];
    uint32_t seed = 1;
    for (size_t k = 0; k < sizeof made / sizeof *made; ++k) {
        seed = seed * 1664525U + 1013904223U;
        made[k] = (int16_t)((int32_t)(seed >> 18) - 8192);
    }
    frames = made;
    frame_count = COUNTED_FRAMES;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--once") == 0) {
        make_frames();
        step();
        return tell("!") ? END_DONE : END_UNHEARD;
    }
    if (argc == 3 && strcmp(argv[1], "--count") == 0) {
        make_frames();
        for (unsigned long k = strtoul(argv[2], NULL, 10); k != 0; --k) {
            step();
        }
        return END_DONE;
    }
    if (argc != 1) {
        fprintf(stderr, "usage: %s [--once | --count STEPS]\n", argv[0]);
        return END_USAGE;
    }
    /* A host that has gone is an end, not a signal. */
    signal(SIGPIPE, SIG_IGN);
    char line[LINE_BYTES];
    while (read_line(line)) {
        if (!answer(line)) {
            return END_UNHEARD;
        }
    }
    return END_DONE;
}
