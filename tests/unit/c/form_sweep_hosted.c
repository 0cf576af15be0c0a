/* The sweep as a program with standard output. */
#include <inttypes.h>
#include <stdio.h>

#include "form_sweep.h"

void sweep_line(const char *part, uint32_t digest) {
    printf("%s %08" PRIX32 "\n", part, digest);
}

int main(void) {
    sweep();
    return 0;
}
