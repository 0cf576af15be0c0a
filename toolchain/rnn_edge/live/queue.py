"""Samples that wait to be stepped: a bounded queue between a source and the stream."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rnn_edge.live.source import Piece

_POLL_S = 0.2


class SampleQueue:
    """Holds pieces of a stream in order.

    Args:
        capacity: Samples that wait at most; one piece always has room.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.waiting = 0
        """Samples that wait now."""
        self.dropped = 0
        """Samples for which there was no room."""
        self._pieces: deque[Piece] = deque()
        self._changed = threading.Condition()
        self._is_ended = False
        self._failure: BaseException | None = None

    def offer(self, piece: Piece) -> bool:
        """Add a piece if there is room, else count it as dropped.

        Returns:
            Whether more is wanted at all.
        """
        with self._changed:
            if self._has_room(piece):
                self._add(piece)
            else:
                self.dropped += len(piece.samples)
            return not self._is_ended

    def put(self, piece: Piece, stop: threading.Event) -> bool:
        """Add a piece, as soon as there is room.

        Returns:
            Whether it was added; not where ``stop`` was set meanwhile.
        """
        with self._changed:
            while not self._has_room(piece):
                if stop.is_set() or self._is_ended:
                    return False
                self._changed.wait(_POLL_S)
            self._add(piece)
            return True

    def take(self, timeout_s: float) -> Piece | None:
        """Return the next piece, or None where none came in time or none will come."""
        with self._changed:
            if not self._pieces and not self._is_ended:
                self._changed.wait(timeout_s)
            if not self._pieces:
                return None
            piece = self._pieces.popleft()
            self.waiting -= len(piece.samples)
            self._changed.notify_all()
            return piece

    def end(self, failure: BaseException | None = None) -> None:
        """Say that no more pieces will come, and why, if it is a failure."""
        with self._changed:
            self._is_ended = True
            self._failure = failure
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether nothing waits and nothing will come."""
        with self._changed:
            return self._is_ended and not self._pieces

    @property
    def failure(self) -> BaseException | None:
        """Why the source ended, if it failed."""
        return self._failure

    def _has_room(self, piece: Piece) -> bool:
        return not self._pieces or self.waiting + len(piece.samples) <= self.capacity

    def _add(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self.waiting += len(piece.samples)
        self._changed.notify_all()
