"""Streams of any length, frame after frame, the same at every reading."""

from rnn_edge.streams.base import Chunk, FrameStream

__all__ = ["Chunk", "FrameStream"]
