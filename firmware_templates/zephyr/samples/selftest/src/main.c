/* Prints whether this board computes the reference's bits. */
#include <zephyr/sys/printk.h>

#include "rnn_edge_example.h"

static void print_line(const char *line) {
    printk("%s\n", line);
}

int main(void) {
    (void)rnn_edge_example_run(print_line);
    return 0;
}
