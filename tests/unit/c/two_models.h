/* A program that steps two models of one image: `one`, then `two`, each as often as it is told. */
#ifndef TWO_MODELS_H
#define TWO_MODELS_H

#include <stdio.h>
#include <stdlib.h>

#include "one.h"
#include "two.h"

static void run_one(long steps);
static void run_two(long steps);

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

int main(int argc, char **argv) {
    check(argc == 2, "expected the number of steps");
    const long steps = strtol(argv[1], NULL, 10);
    run_one(steps);
    run_two(steps);
    return 0;
}

#endif
