/*
 * A process as a board: its line is a pair of descriptors, its flash a file, its retained RAM what
 * a restart leaves alone.
 */
#ifndef RNN_EDGE_LINUX_H
#define RNN_EDGE_LINUX_H

#include <stdbool.h>

#include "rnn_edge_board.h"

/* Takes standard input and output as the line. */
void rnn_edge_linux_use_standard(void);

/* Makes a pseudo-terminal, prints its path and takes it as the line. False: there is none. */
bool rnn_edge_linux_use_terminal(void);

/* Takes a file as the flash; it is made where it is not there. False: it cannot be opened. */
bool rnn_edge_linux_use_file(const char *path);

/* The program's exit code where its line has ended, or whoever started it has gone; else -1. */
int rnn_edge_linux_ended(void);

/* What a restart does: it does not return. */
extern void (*rnn_edge_linux_start_again)(void);

/* The flash, or NULL where there is no file. */
const rnn_edge_medium *rnn_edge_linux_flash(void);

#endif
