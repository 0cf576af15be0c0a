/*
 * The application in a process, behind standard input and output or a pseudo-terminal.
 *
 *   --pty          prints the path of a pseudo-terminal and serves it until standard input ends;
 *                  else standard input and output are served until the input ends
 *   --host         begins taken over by a host, which may step the model and set its state
 *   --state FILE   keeps the state in a file, as a board does in flash
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "rnn_edge_app.h"
#include "rnn_edge_linux.h"

enum { END_USAGE = 2, END_NO_TERMINAL = 103, END_NO_FILE = 104, NOT_ENDED = -1 };

static sigjmp_buf start;

static void start_again(void) {
    siglongjmp(start, 1);
}

int main(int argc, char **argv) {
    static bool is_terminal;
    static bool is_for_host;
    for (int k = 1; k < argc; ++k) {
        if (strcmp(argv[k], "--pty") == 0) {
            is_terminal = true;
        } else if (strcmp(argv[k], "--host") == 0) {
            is_for_host = true;
        } else if (strcmp(argv[k], "--state") == 0 && k + 1 < argc) {
            if (!rnn_edge_linux_use_file(argv[++k])) {
                perror(argv[k]);
                return END_NO_FILE;
            }
        } else {
            fprintf(stderr, "usage: %s [--pty] [--host] [--state FILE]\n", argv[0]);
            return END_USAGE;
        }
    }
    if (is_terminal) {
        if (!rnn_edge_linux_use_terminal()) {
            perror("pseudo-terminal");
            return END_NO_TERMINAL;
        }
    } else {
        rnn_edge_linux_use_standard();
    }
    rnn_edge_linux_start_again = start_again;
    (void)sigsetjmp(start, 1);
    rnn_edge_app_begin();
    if (is_for_host) {
        rnn_edge_app_set_mode(RNN_EDGE_MODE_HOST);
    }
    while (rnn_edge_linux_ended() == NOT_ENDED) {
        if (!rnn_edge_app_turn()) {
            rnn_edge_board_idle();
        }
    }
    return rnn_edge_linux_ended();
}
