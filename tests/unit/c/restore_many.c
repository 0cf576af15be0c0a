/*
 * Restores what comes on standard input, one blob after the other: its length, then its bytes.
 * Each is in memory of its own size, so that a sanitizer sees the first byte beyond it. The answer
 * is the status and the state after it, which every blob finds full of 77.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

int main(void) {
    uint32_t length = 0;
    while (fread(&length, sizeof length, 1, stdin) == 1) {
        uint8_t *blob = malloc(length);
        sample_state *state = malloc(sizeof *state);
        if (state == NULL || (blob == NULL && length != 0)) {
            return 2;
        }
        if (fread(blob, 1, length, stdin) != length) {
            return 3;
        }
        for (size_t k = 0; k < SAMPLE_STATE_VALUES; ++k) {
            state->values[k] = 77;
        }
        const int32_t status = sample_restore(state, blob, length);
        fwrite(&status, sizeof status, 1, stdout);
        fwrite(state->values, sizeof(int16_t), SAMPLE_STATE_VALUES, stdout);
        free(state);
        free(blob);
    }
    return 0;
}
