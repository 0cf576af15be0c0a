/* Prints whether this board computes the reference's bits. */
#include <stdio.h>

#include "rnn_edge_example.h"

static void print_line(const char *line) {
    printf("%s\n", line);
}

void app_main(void);

void app_main(void) {
    (void)rnn_edge_example_run(print_line);
}
