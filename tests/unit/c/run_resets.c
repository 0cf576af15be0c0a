/* Runs two models of one image over a stream each, under the policy of each, saving and restoring.
 *
 * standard input: the frames of `one`, then the frames of `two`, as many as the argument says
 * standard output: for each step 1 or 0, whether the state was reset, the result, the state
 *
 * All buffers are allocated at their exact size, so that a sanitizer sees the first byte beyond.
 */
#include <string.h>

#include "two_models.h"

#define RUN(NAME, UPPER)                                                                           \
    static void run_##NAME(long steps) {                                                           \
        NAME##_stream *stream = malloc(sizeof *stream);                                            \
        int16_t *x = malloc(UPPER##_INPUTS * sizeof *x);                                           \
        int16_t *y = malloc(UPPER##_OUTPUTS * sizeof *y);                                          \
        uint8_t *blob = malloc(UPPER##_STREAM_BLOB_BYTES);                                         \
        check(stream &&x &&y &&blob, "out of memory");                                             \
        NAME##_stream_init(stream);                                                                \
        for (long t = 0; t < steps; ++t) {                                                         \
            check(fread(x, sizeof *x, UPPER##_INPUTS, stdin) == UPPER##_INPUTS, "input is short"); \
            int16_t was_reset = 0;                                                                 \
            if (t % 2 == 0) {                                                                      \
                was_reset = NAME##_stream_step(stream, x, y);                                      \
            } else {                                                                               \
                was_reset = NAME##_stream_advance(stream, x);                                      \
                NAME##_output(&stream->state, y);                                                  \
            }                                                                                      \
            check(fwrite(&was_reset, sizeof was_reset, 1, stdout) == 1, "output");                 \
            check(fwrite(y, sizeof *y, UPPER##_OUTPUTS, stdout) == UPPER##_OUTPUTS, "output");     \
            check(fwrite(stream->state.values, sizeof(int16_t), UPPER##_STATE_VALUES, stdout) ==   \
                      UPPER##_STATE_VALUES,                                                        \
                  "output");                                                                       \
            check(NAME##_stream_save(stream, blob) == UPPER##_STREAM_BLOB_BYTES, "length");        \
            memset(stream, 0x55, sizeof *stream);                                                  \
            blob[t % UPPER##_STREAM_BLOB_BYTES] ^= 1;                                              \
            check(NAME##_stream_restore(stream, blob, UPPER##_STREAM_BLOB_BYTES) != RNN_EDGE_OK,   \
                  "a damaged stream was restored");                                                \
            check(((uint8_t *)stream)[0] == 0x55, "a refused stream left a trace");                \
            blob[t % UPPER##_STREAM_BLOB_BYTES] ^= 1;                                              \
            check(NAME##_stream_restore(stream, blob, UPPER##_STREAM_BLOB_BYTES - 1) ==            \
                      RNN_EDGE_BAD_LENGTH,                                                         \
                  "a short stream was restored");                                                  \
            check(NAME##_stream_restore(stream, blob, UPPER##_STREAM_BLOB_BYTES) == RNN_EDGE_OK,   \
                  "restore");                                                                      \
        }                                                                                          \
        NAME##_stream_reset(stream);                                                               \
        for (int k = 0; k < UPPER##_STATE_VALUES; ++k) {                                           \
            check(stream->state.values[k] == 0, "a stream is not at its start");                   \
        }                                                                                          \
        free(blob);                                                                                \
        free(y);                                                                                   \
        free(x);                                                                                   \
        free(stream);                                                                              \
    }

RUN(one, ONE)
RUN(two, TWO)
