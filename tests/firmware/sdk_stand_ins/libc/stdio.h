/* What the example needs of a C library, for compilers that come without one. */
#ifndef STDIO_STAND_IN_H
#define STDIO_STAND_IN_H

#include <stddef.h>

int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
