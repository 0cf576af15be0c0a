"""Frames over a stream of bytes, and what became of them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from rnn_edge.links.base import ByteStream
from rnn_edge.links.frames import Damage, Frame, Parser


@dataclass(frozen=True)
class Traffic:
    """What went over a link.

    Attributes:
        sent: Frames, with those that were sent again.
        received: Frames that came whole.
        damaged: What came and may have been a frame.
    """

    sent: int
    received: int
    damaged: int


class FramePort:
    """Sends and receives frames.

    Args:
        stream: What carries the bytes; it is closed with the port.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._parser = Parser()
        self._waiting: deque[Frame | Damage] = deque()
        self._sent = self._received = self._damaged = 0

    @property
    def traffic(self) -> Traffic:
        """What has gone over the link so far."""
        return Traffic(self._sent, self._received, self._damaged)

    def send(self, frame: Frame, timeout_s: float) -> None:
        """Send a frame.

        Raises:
            LinkError: If the stream has ended or takes no bytes for the time.
        """
        self._stream.write(frame.pack(), timeout_s)
        self._sent += 1

    def receive(self, deadline: float) -> Frame | Damage | None:
        """Return what comes next, or None where nothing does before ``time.monotonic()`` says so.

        Raises:
            LinkError: If the stream has ended.
        """
        while not self._waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._waiting.extend(self._parser.feed(self._stream.read(left)))
        found = self._waiting.popleft()
        if isinstance(found, Frame):
            self._received += 1
        else:
            self._damaged += 1
        return found

    def close(self) -> None:
        """Close the stream; calling it twice is fine."""
        self._stream.close()
