/* Runs two models of one image over a stream each, saving and restoring on the way.
 *
 * standard input: the frames of `one`, then the frames of `two`, as many as the argument says
 * standard output: results and state after each step, of `one`, then of `two`
 *
 * All buffers are allocated at their exact size, so that a sanitizer sees the first byte beyond.
 */
#include "two_models.h"

#define RUN(NAME, UPPER)                                                                           \
    static void run_##NAME(long steps) {                                                           \
        NAME##_state *state = malloc(sizeof *state);                                               \
        int16_t *x = malloc(UPPER##_INPUTS * sizeof *x);                                           \
        int16_t *y = malloc(UPPER##_OUTPUTS * sizeof *y);                                          \
        uint8_t *blob = malloc(UPPER##_BLOB_BYTES);                                                \
        check(state &&x &&y &&blob, "out of memory");                                              \
        NAME##_init(state);                                                                        \
        for (long t = 0; t < steps; ++t) {                                                         \
            check(fread(x, sizeof *x, UPPER##_INPUTS, stdin) == UPPER##_INPUTS, "input is short"); \
            if (t % 2 == 0) {                                                                      \
                NAME##_step(state, x, y);                                                          \
            } else {                                                                               \
                NAME##_advance(state, x);                                                          \
                NAME##_output(state, y);                                                           \
            }                                                                                      \
            check(fwrite(y, sizeof *y, UPPER##_OUTPUTS, stdout) == UPPER##_OUTPUTS, "output");     \
            check(fwrite(state->values, sizeof(int16_t), UPPER##_STATE_VALUES, stdout) ==          \
                      UPPER##_STATE_VALUES,                                                        \
                  "output");                                                                       \
            check(NAME##_save(state, blob) == UPPER##_BLOB_BYTES, "length of the blob");           \
            NAME##_init(state);                                                                    \
            check(NAME##_restore(state, blob, UPPER##_BLOB_BYTES) == RNN_EDGE_OK, "restore");      \
        }                                                                                          \
        free(blob);                                                                                \
        free(y);                                                                                   \
        free(x);                                                                                   \
        free(state);                                                                               \
    }

RUN(one, ONE)
RUN(two, TWO)
