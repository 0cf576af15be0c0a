"""Streams that are short enough to be held in memory."""

from __future__ import annotations

import numpy as np

from rnn_edge.streams.base import CHUNK_STEPS, Chunk, FrameStream


def read_whole(stream: FrameStream) -> Chunk:
    """Return all frames of a stream as one chunk."""
    frames = np.empty((stream.steps, stream.inputs), np.float32)
    starts = []
    done = 0
    for chunk in stream.chunks(CHUNK_STEPS):
        frames[done : done + len(chunk.frames)] = chunk.frames
        starts.append(chunk.starts + done)
        done += len(chunk.frames)
    return Chunk(frames, np.concatenate(starts))
