/*
 * Steps the frames that came with the package through its shared library.
 */
#include <stdio.h>

#include "rnn_edge_example.h"

static void show(const char *line) {
    (void)puts(line);
}

int main(void) {
    return rnn_edge_example_run(show) ? 0 : 1;
}
