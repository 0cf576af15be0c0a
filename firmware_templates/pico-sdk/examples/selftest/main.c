/* Prints whether this board computes the reference's bits, on USB and on the UART. */
#include <stdio.h>

#include "pico/stdlib.h"

#include "rnn_edge_example.h"

static void print_line(const char *line) {
    printf("%s\n", line);
}

int main(void) {
    stdio_init_all();
    /* Again and again: who opens the USB port late has missed the first lines. */
    for (;;) {
        (void)rnn_edge_example_run(print_line);
        sleep_ms(2000);
    }
}
