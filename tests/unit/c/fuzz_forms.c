/*
 * A libFuzzer target over restore and step: forms of the kernels, each in a library of its own, do
 * the same with the same bytes. FORMS is the list of their paths.
 *
 * The first byte says what the others are: a blob, damage to a blob, damage with a checksum that
 * fits, or a state and frames.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#ifndef FORMS
#error "FORMS is a list of paths"
#endif

enum { BLOB, DAMAGED, RESEALED, STEPS, MODES, CRC_BYTES = 4, FRAMES_MOST = 24, BLOB_MOST = 4096 };

typedef struct {
    void (*step)(sample_state *state, const int16_t *x, int16_t *y);
    size_t (*save)(const sample_state *state, uint8_t *blob);
    rnn_edge_status (*restore)(sample_state *state, const uint8_t *blob, size_t length);
    uint32_t (*checksum)(const uint8_t *bytes, size_t count);
    sample_state *state;
} form;

static const char *const PATHS[] = {FORMS};

enum { COUNT = sizeof PATHS / sizeof *PATHS };

static form forms[COUNT];

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int is_so, const char *what) {
    if (!is_so) {
        fprintf(stderr, "forms differ: %s\n", what);
        abort();
    }
}

/* POSIX lets an object pointer stand for a function; C does not say so. */
static void take(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    require(found != NULL, name);
    memcpy(function, &found, sizeof found);
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
    (void)count;
    (void)arguments;
    for (size_t k = 0; k < COUNT; ++k) {
        void *library = dlopen(PATHS[k], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            abort();
        }
        take(library, "sample_step", &forms[k].step);
        take(library, "sample_save", &forms[k].save);
        take(library, "sample_restore", &forms[k].restore);
        take(library, "rnn_edge_crc32", &forms[k].checksum);
        /* In memory of exactly its size: what is written beyond shows. */
        forms[k].state = malloc(sizeof *forms[k].state);
    }
    return 0;
}

static void require_same_states(const char *what) {
    for (size_t k = 1; k < COUNT; ++k) {
        require(memcmp(forms[k].state->values, forms[0].state->values,
                       sizeof forms[0].state->values) == 0,
                what);
    }
}

static void restore_all(const uint8_t *blob, size_t length) {
    rnn_edge_status first = RNN_EDGE_OK;
    for (size_t k = 0; k < COUNT; ++k) {
        /* Memory that ends where the blob does. */
        uint8_t *copy = malloc(length + 1);
        memcpy(copy, blob, length);
        memset(forms[k].state->values, 77, sizeof forms[k].state->values);
        const rnn_edge_status status = forms[k].restore(forms[k].state, copy, length);
        free(copy);
        first = k == 0 ? status : first;
        require(status == first, "status of a restored state");
    }
    require_same_states("restored state");
}

static void restore_damaged(const uint8_t *data, size_t size, int is_sealed) {
    uint8_t blob[SAMPLE_BLOB_BYTES];
    memset(forms[0].state->values, 0, sizeof forms[0].state->values);
    forms[0].save(forms[0].state, blob);
    for (size_t k = 0; k < size && k < sizeof blob; ++k) {
        blob[k] ^= data[k];
    }
    if (is_sealed) {
        const uint32_t crc = forms[0].checksum(blob, sizeof blob - CRC_BYTES);
        for (unsigned k = 0; k < CRC_BYTES; ++k) {
            blob[sizeof blob - CRC_BYTES + k] = (uint8_t)(crc >> (8 * k));
        }
    }
    restore_all(blob, sizeof blob);
}

static void step_all(const int16_t *x) {
    int16_t y[COUNT][SAMPLE_OUTPUTS];
    for (size_t k = 0; k < COUNT; ++k) {
        forms[k].step(forms[k].state, x, y[k]);
        require(memcmp(y[k], y[0], sizeof y[0]) == 0, "output of a step");
    }
    require_same_states("state after a step");
}

/* Copies as much as there is; the rest stays as it is. */
static void copy_some(void *to, size_t wanted, const uint8_t **data, size_t *size) {
    const size_t count = *size < wanted ? *size : wanted;
    memcpy(to, *data, count);
    *data += count;
    *size -= count;
}

static void step_from_state(const uint8_t *data, size_t size) {
    int16_t values[SAMPLE_STATE_VALUES] = {0};
    copy_some(values, sizeof values, &data, &size);
    for (size_t k = 0; k < COUNT; ++k) {
        memcpy(forms[k].state->values, values, sizeof values);
    }
    for (unsigned k = 0; k < FRAMES_MOST && size != 0; ++k) {
        int16_t x[SAMPLE_INPUTS] = {0};
        copy_some(x, sizeof x, &data, &size);
        step_all(x);
    }
    /* What one form saves, every other one takes. */
    uint8_t blob[SAMPLE_BLOB_BYTES];
    for (size_t k = 0; k < COUNT; ++k) {
        const form *next = &forms[(k + 1) % COUNT];
        require(forms[k].save(forms[k].state, blob) == sizeof blob, "length of a blob");
        require(next->restore(next->state, blob, sizeof blob) == RNN_EDGE_OK, "saved state");
    }
    require_same_states("state that was saved by another form");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const unsigned mode = data[0] % MODES;
    ++data;
    --size;
    if (mode == BLOB) {
        restore_all(data, size < BLOB_MOST ? size : BLOB_MOST);
    } else if (mode == STEPS) {
        step_from_state(data, size);
    } else {
        restore_damaged(data, size, mode == RESEALED);
    }
    return 0;
}
