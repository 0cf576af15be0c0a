// The microphone of a board, for a model whose firmware makes its frames of sound.
#ifndef RNN_EDGE_DEVICE_MICROPHONE_H
#define RNN_EDGE_DEVICE_MICROPHONE_H

// Begins to hand samples over. False: the board has none that this knows, or it does not begin.
bool rnn_edge_device_microphone_begin();

#endif
