/*
 * The model as firmware: it steps the frames of a sensor, and answers rnn-edge over the link.
 *
 * Whatever measures hands each frame over with rnn_edge_app_push.
 */
#include "rnn_edge_app.h"
#include "rnn_edge_board.h"

int main(void) {
    rnn_edge_app_begin();
    for (;;) {
        if (!rnn_edge_app_turn()) {
            rnn_edge_board_idle();
        }
    }
}
