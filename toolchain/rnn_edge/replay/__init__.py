"""Any two engines over the same stream: equal bits, or how far they drift apart."""

from rnn_edge.replay.drift import measure_drift
from rnn_edge.replay.parity import compare_bits
from rnn_edge.replay.stream import concatenate

__all__ = ["compare_bits", "concatenate", "measure_drift"]
