"""Any two engines over the same stream: equal bits, or how far they drift apart."""

from rnn_edge.replay.drift import measure_drift
from rnn_edge.replay.parity import compare_bits
from rnn_edge.replay.stream import Stream, concatenate, sequence_stream

__all__ = ["Stream", "compare_bits", "concatenate", "measure_drift", "sequence_stream"]
