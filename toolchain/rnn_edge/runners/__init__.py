"""Programs that put firmware on a device or run it: one file each (`rnn_edge.runners.base`)."""
