"""Runs a source in a thread of its own."""

from __future__ import annotations

import threading

from rnn_edge.errors import RnnEdgeError
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.source import Source

_JOIN_S = 2.0


class Feed:
    """A source at work.

    Args:
        source: Where samples come from.
        queue: Where they go.
    """

    def __init__(self, source: Source, queue: SampleQueue) -> None:
        self._source, self._queue = source, queue
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more samples; what waits in the queue stays there."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)
        self._queue.end(self._queue.failure)
        self._source.close()

    def _run(self) -> None:
        try:
            self._source.deliver(self._queue, self._stop)
        except (RnnEdgeError, OSError, ValueError, MemoryError) as error:
            self._queue.end(error)
        else:
            self._queue.end()
