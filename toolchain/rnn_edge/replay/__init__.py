"""Any two engines over the same stream: equal bits, or how far they drift apart."""

from rnn_edge.replay.disagreement import compare_runtimes
from rnn_edge.replay.drift import measure_drift
from rnn_edge.replay.parity import compare_bits
from rnn_edge.replay.probe import (
    ProbeRow,
    Verdict,
    find_frames,
    float_case,
    integer_case,
    probe,
)
from rnn_edge.replay.stream import Stream, concatenate, sequence_stream

__all__ = [
    "ProbeRow",
    "Stream",
    "Verdict",
    "compare_bits",
    "compare_runtimes",
    "concatenate",
    "find_frames",
    "float_case",
    "integer_case",
    "measure_drift",
    "probe",
    "sequence_stream",
]
