/* What the examples of packages do: see whether this machine computes the reference's bits. */
#ifndef RNN_EDGE_EXAMPLE_H
#define RNN_EDGE_EXAMPLE_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Shows one line, which has no end of line. */
typedef void rnn_edge_example_print(const char *line);

/*
 * Steps a fresh stream through the frames that come with the example and compares every output
 * with the integer reference's. Prints OK, or the first difference. True: all are equal.
 */
bool rnn_edge_example_run(rnn_edge_example_print *print);

#ifdef __cplusplus
}
#endif

#endif
