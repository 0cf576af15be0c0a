/* Runs the example's comparison where there is a C library. */
#include <stdio.h>

#include "rnn_edge_example.h"

static void print_line(const char *line) {
    puts(line);
}

int main(void) {
    return rnn_edge_example_run(print_line) ? 0 : 1;
}
