#ifndef FORM_SWEEP_H
#define FORM_SWEEP_H

#include <stdint.h>

/* Runs everything and calls sweep_line for each part. */
void sweep(void);

/* Prints a line. */
void sweep_line(const char *part, uint32_t digest);

#endif
