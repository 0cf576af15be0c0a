"""Recordings of sound as a source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rnn_edge.data.audio_stream import AudioStream
from rnn_edge.live.source import RecordedSource
from rnn_edge.types import Array


class AudioFiles(RecordedSource):
    """WAV and FLAC files one after the other, as one stream.

    Args:
        paths: The files.
        rate_hz: Rate of the model; a file at another rate is resampled.
        piece_samples: Largest piece.
        is_paced: As of `RecordedSource`.
        repeat: As of `RecordedSource`.
        speed: As of `RecordedSource`.

    Raises:
        DataError: If a file is no audio.
        MissingDependencyError: If the decoder, or a resampler that is needed, is not installed.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        rate_hz: int,
        piece_samples: int,
        *,
        is_paced: bool,
        repeat: int,
        speed: float = 1.0,
    ) -> None:
        super().__init__(rate_hz, is_paced=is_paced, repeat=repeat, speed=speed)
        self.name = ", ".join(path.name for path in paths)
        self._streams = [AudioStream(path, rate_hz) for path in paths]
        self._piece_samples = piece_samples

    @property
    def identity(self) -> str:
        """Digest of names and sizes."""
        facts = [(s.path.name, s.path.stat().st_size, s.rate_hz) for s in self._streams]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def one_pass(self, skip: int) -> Iterator[tuple[Array, int, bool]]:
        """Yield the samples of all files."""
        position = 0
        for stream in self._streams:
            if skip:
                length = stream.length()
                if skip >= length:
                    position, skip = position + length, skip - length
                    continue
            position, left, skip = position + skip, skip, 0
            for samples in stream.samples(left, self._piece_samples):
                yield samples, position, False
                position += len(samples)

    def length(self) -> int:
        """Return the samples of all files."""
        return sum(stream.length() for stream in self._streams)
