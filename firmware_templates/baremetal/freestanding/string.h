/*
 * The three functions of <string.h> that the kernel library calls: with them an image needs no C
 * library.
 */
#ifndef RNN_EDGE_FREESTANDING_STRING_H
#define RNN_EDGE_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);

#endif
