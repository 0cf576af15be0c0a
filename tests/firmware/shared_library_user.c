/*
 * A program that uses the shared library of a model: reads frames, writes results.
 */
#include <stdio.h>

#include "sample.h"

int main(void) {
    static sample_state state;
    int16_t x[SAMPLE_INPUTS];
    int16_t y[SAMPLE_OUTPUTS];
    sample_init(&state);
    while (fread(x, sizeof x, 1, stdin) == 1) {
        sample_step(&state, x, y);
        fwrite(y, sizeof y, 1, stdout);
    }
    return 0;
}
