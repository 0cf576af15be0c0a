"""What a source of samples is.

A kind of source is one module with a class; `rnn_edge.live.opening` knows which words mean it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event

from rnn_edge.live.queue import SampleQueue
from rnn_edge.types import Array


@dataclass(frozen=True, eq=False)
class Piece:
    """Consecutive samples.

    Attributes:
        samples: int16 (n,) of sound, or float64 (n, channels).
        position: Of the first of them in the source, in samples; where it is not that of the
            sample before plus one, samples are missing.
        arrival_s: When the last of them was there, on the monotonic clock.
        is_after_gap: Whether the source itself says that something is missing before them.
        labels: int8 (n,), what is known of each, as in `rnn_edge.streams`; None where nothing is.
    """

    samples: Array
    position: int
    arrival_s: float
    is_after_gap: bool = False
    labels: Array | None = None


class Source(ABC):
    """Delivers samples.

    Attributes:
        name: What messages call it.
        is_paced: Whether time matters: a piece that is decided on late counts as late.
        hops_at_once: Hops of samples that are waited for before frames are made of them.
    """

    name: str = ""
    is_paced: bool = True
    hops_at_once: int = 1

    @property
    def identity(self) -> str:
        """What tells recordings from others; empty of what cannot be read again."""
        return ""

    @abstractmethod
    def deliver(self, queue: SampleQueue, stop: Event) -> None:
        """Put samples into a queue until there are no more, or ``stop`` is set.

        Raises:
            RnnEdgeError: If the source fails.
        """

    def close(self) -> None:  # noqa: B027 - most sources hold nothing
        """Release what is held; calling it twice is fine."""


class RecordedSource(Source):
    """Recordings: they can be read again from any sample, as fast as they are stepped or paced.

    Args:
        rate_hz: Samples per second.
        is_paced: Whether every sample comes when it would; what is then not taken in time is
            lost, as it is with a microphone.
        repeat: How often all is delivered; 0 for ever.
        speed: Times as fast as real time, where it is paced.
    """

    def __init__(self, rate_hz: float, *, is_paced: bool, repeat: int, speed: float = 1.0) -> None:
        self.is_paced = is_paced
        self._rate_hz = rate_hz * speed
        self._repeat = repeat
        self._start = 0

    @abstractmethod
    def one_pass(self, skip: int) -> Iterator[tuple[Array, int, bool]]:
        """Yield samples, the position of the first from the start, and whether a gap is before.

        Args:
            skip: First samples that are left out.
        """

    def labels(self) -> Array | None:
        """Return what is known of the samples that `one_pass` yielded last, as in `Piece`."""
        return None

    @abstractmethod
    def length(self) -> int:
        """Return how many samples a pass has."""

    def begin_at(self, position: int) -> None:
        """Begin at a sample, counted over all passes; called before `deliver`."""
        self._start = position

    def deliver(self, queue: SampleQueue, stop: Event) -> None:
        """Put the samples into the queue."""
        length = self.length() if self._start else 0
        done = self._start // length if length else 0
        skip = self._start - done * length
        began_s = time.monotonic()
        while not self._repeat or done < self._repeat:
            base = done * length
            end = skip
            for samples, position, is_after_gap in self.one_pass(skip):
                end = position + len(samples)
                due_s = began_s + (base + end - self._start) / self._rate_hz
                if self.is_paced and stop.wait(max(0.0, due_s - time.monotonic())):
                    return
                piece = Piece(
                    samples, base + position, time.monotonic(), is_after_gap, self.labels()
                )
                if not (queue.offer(piece) if self.is_paced else queue.put(piece, stop)):
                    return
            length = length or end
            if not length:
                return
            done, skip = done + 1, 0
