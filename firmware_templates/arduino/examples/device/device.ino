// The model as firmware: it steps the frames of a sensor, or makes them of sound, and answers
// rnn-edge over the serial port.
//
// Whatever measures hands each frame over with rnn_edge_app_push, or where the model was built with
// integer features samples with rnn_edge_app_push_samples; docs: README.md of this package.
#include <Arduino.h>

#include "rnn_edge_config.h"

#include "rnn_edge_app.h"
#include "rnn_edge_board.h"
#include "rnn_edge_device_microphone.h"

void setup() {
    rnn_edge_app_begin();
#ifdef RNN_EDGE_APP_SAMPLES
    // A board without a microphone that is known hears what your code hands over, and a host.
    (void)rnn_edge_device_microphone_begin();
#endif
}

void loop() {
    if (!rnn_edge_app_turn()) {
        rnn_edge_board_idle();
    }
}
