"""The frames about the largest score of a stream, one by one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from rnn_edge.types import Array

FRAMES = 600
"""Frames that are kept, half of them behind the largest score."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What was about the largest score.

    Attributes:
        first: Number of the first of its frames.
        position: Of the first of its samples in the source.
        frames: float64 (N, K), what was kept of each frame.
        samples: float64 (M, channels), from the first sample that is known.
    """

    first: int
    position: int
    frames: Array
    samples: Array


class ClosestLook:
    """Follows a stream in bounded memory.

    Args:
        hop_samples: Between two frames.
        window_samples: Of a frame.
    """

    def __init__(self, hop_samples: int, window_samples: int) -> None:
        self._hop, self._window = hop_samples, window_samples
        self._frames: deque[tuple[int, int, tuple[float, ...]]] = deque(maxlen=FRAMES)
        self._samples: deque[tuple[int, Array]] = deque()
        self._highest = -np.inf
        self._left = 0
        """Frames until what is kept has the largest score in its middle."""
        self._found: Snapshot | None = None

    def add_samples(self, position: int, samples: Array) -> None:
        """Add samples float64 (n, channels), from a position in the source on."""
        self._samples.append((position, samples))
        if self._frames:
            oldest = self._frames[0][1] - self._window
            while self._samples[0][0] + len(self._samples[0][1]) <= oldest:
                self._samples.popleft()

    def add(self, step: int, end: int, score: float, kept: tuple[float, ...]) -> None:
        """Add a frame.

        Args:
            step: Its number.
            end: Position of the sample behind it.
            score: Of the frame.
            kept: What is kept of it.
        """
        self._frames.append((step, end, kept))
        if score > self._highest:
            self._highest, self._left = score, FRAMES // 2
        elif self._left:
            self._left -= 1
            if not self._left:
                self._found = self._taken()

    def result(self) -> Snapshot | None:
        """Return what was about the largest score, or None where there was no frame."""
        if self._left:
            self._found, self._left = self._taken(), 0
        return self._found

    def _taken(self) -> Snapshot:
        first, end, _ = self._frames[0]
        begin = end - self._window
        parts = [
            (max(position, begin), samples[max(0, begin - position) :])
            for position, samples in self._samples
        ]
        parts = [(position, part) for position, part in parts if len(part)]
        kept = np.array([values for _, _, values in self._frames])
        last = self._frames[-1][1]
        samples = np.concatenate([part for _, part in parts])
        return Snapshot(first, parts[0][0], kept, samples[: last - parts[0][0]])
