"""Raw sound on standard input."""

from __future__ import annotations

import time
from threading import Event

import numpy as np

from rnn_edge.live.descriptor import read_bytes
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.source import Piece, Source


class PcmPipe(Source):
    """Signed 16-bit little-endian samples, mono, at the rate of the model.

    Whoever writes them waits while the queue is full: nothing is lost here.

    Args:
        descriptor: Of the pipe.
        piece_samples: Largest piece.
        is_waiting: Whether that much is waited for, but for the end.
    """

    name = "standard input (PCM)"

    def __init__(self, descriptor: int, piece_samples: int, *, is_waiting: bool = False) -> None:
        self._descriptor = descriptor
        self._piece_samples = piece_samples
        self._is_waiting = is_waiting

    def deliver(self, queue: SampleQueue, stop: Event) -> None:
        """Put the samples into the queue."""
        unit = 2 * (self._piece_samples if self._is_waiting else 1)
        rest, position = b"", 0
        for content in read_bytes(self._descriptor, stop):
            joined = rest + content
            whole = len(joined) // unit * unit
            rest = joined[whole:]
            position = self._put(queue, stop, joined[:whole], position)
        self._put(queue, stop, rest[: len(rest) // 2 * 2], position)

    def _put(self, queue: SampleQueue, stop: Event, content: bytes, position: int) -> int:
        """Put samples into the queue, unless ``stop`` is set; return the position behind them."""
        now_s = time.monotonic()
        samples = np.frombuffer(content, "<i2").astype(np.int16)
        for start in range(0, len(samples), self._piece_samples):
            part = samples[start : start + self._piece_samples]
            if not queue.put(Piece(part, position, now_s), stop):
                break
            position += len(part)
        return position
