#include "rnn_edge_example.h"

#include <stdio.h>

#include "rnn_edge_example_model.h"

bool rnn_edge_example_run(rnn_edge_example_print *print) {
    /* Static: the stack of a small board's main task may be shorter than a large model's state. */
    static EXAMPLE_STREAM stream;
    static int16_t y[EXAMPLE_OUTPUTS];
    char line[128];

    EXAMPLE_INIT(&stream);
    for (unsigned t = 0; t < EXAMPLE_FRAMES; ++t) {
        EXAMPLE_STEP(&stream, rnn_edge_example_x[t], y);
        for (unsigned k = 0; k < EXAMPLE_OUTPUTS; ++k) {
            const int actual = y[k];
            const int expected = rnn_edge_example_y[t][k];
            if (actual != expected) {
                (void)snprintf(line, sizeof line,
                               "DIFFERENT: %s, frame %u, output %u: %d; the reference has %d",
                               EXAMPLE_NAME, t, k, actual, expected);
                print(line);
                return false;
            }
        }
    }
    (void)snprintf(line, sizeof line, "OK: %s, %u frames, every output has the reference's bits",
                   EXAMPLE_NAME, (unsigned)EXAMPLE_FRAMES);
    print(line);
    return true;
}
