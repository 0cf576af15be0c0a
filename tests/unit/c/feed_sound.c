/* Reads int16 samples, feeds them in pieces of the given size and writes the frames. */
#include <stdio.h>
#include <stdlib.h>

#include "sample_frontend.h"

int main(int count, char **arguments) {
    static sample_frontend front;
    const size_t piece = count > 1 ? strtoul(arguments[1], NULL, 10) : 1;
    int16_t *const pcm = malloc((piece + 1) * sizeof *pcm);
    int16_t x[SAMPLE_FRONTEND_BANDS];
    if (pcm == NULL) {
        return 1;
    }
    sample_frontend_init(&front);
    size_t read = 0;
    while ((read = fread(pcm, sizeof *pcm, piece, stdin)) > 0) {
        size_t taken = 0;
        for (size_t at = 0; at < read; at += taken) {
            if (sample_frontend_feed(&front, pcm + at, read - at, x, &taken)) {
                fwrite(x, sizeof *x, SAMPLE_FRONTEND_BANDS, stdout);
            }
        }
    }
    free(pcm);
    return 0;
}
