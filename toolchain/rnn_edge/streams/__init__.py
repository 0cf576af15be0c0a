"""Streams of any length, frame after frame, the same at every reading."""

from rnn_edge.streams.adversarial import AdversarialFrames, search_window
from rnn_edge.streams.base import Chunk, FrameStream
from rnn_edge.streams.closed_loop import ModelPair
from rnn_edge.streams.opening import open_stream
from rnn_edge.streams.order import sequence_order
from rnn_edge.streams.search import WorstWindow
from rnn_edge.streams.whole import read_whole

__all__ = [
    "AdversarialFrames",
    "Chunk",
    "FrameStream",
    "ModelPair",
    "WorstWindow",
    "open_stream",
    "read_whole",
    "search_window",
    "sequence_order",
]
