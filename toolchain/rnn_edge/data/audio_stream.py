"""Reads audio files piece by piece: what `decode_audio` gives at once, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.data.resample import check_rate, to_pcm
from rnn_edge.data.riff import HEADER_BYTES, check_riff_length
from rnn_edge.errors import DataError
from rnn_edge.extras import require
from rnn_edge.types import Array

SUFFIXES = (".wav", ".flac", ".ogg")
"""Of files that are sound."""

_BLOCK = 65_536


class AudioStream:
    """The samples of one file, mono, at the rate of a model.

    A file at the model's rate with 16-bit samples and one channel gives its own samples. Several
    channels are averaged. Another rate is resampled piece by piece, which `soxr` does with the
    quality of `rnn_edge.data.resample`; the samples differ from those of `decode_audio` by one
    unit at most, where a sum was rounded the other way.

    Args:
        path: WAV, FLAC or Ogg.
        rate_hz: Rate of the samples that are wanted.

    Raises:
        DataError: If the file cannot be read as audio, is cut short, or has no samples.
        MissingDependencyError: If the decoder, or a resampler that is needed, is not installed.
    """

    def __init__(self, path: Path, rate_hz: int) -> None:
        self.path, self.rate_hz = path, rate_hz
        self._soundfile = require("soundfile", "audio", "reading audio files")
        with self._open() as file:
            self.source_rate_hz = int(file.samplerate)
            self._frames = int(file.frames)
            self._is_plain = file.subtype == "PCM_16" and file.channels == 1
        with path.open("rb") as file:
            check_riff_length(
                file.read(HEADER_BYTES), path.stat().st_size, str(path), "record or copy it again"
            )
        if self._frames < 1:
            raise DataError(f"Audio file {path} has no samples; expected a recording.")
        check_rate(self.source_rate_hz, str(path), "record or copy it again")
        self._soxr = None
        if self.source_rate_hz != rate_hz:
            self._soxr = require(
                "soxr", "audio", f"sound at {self.source_rate_hz} Hz for a model at {rate_hz} Hz"
            )

    @property
    def is_resampled(self) -> bool:
        """Whether the file has another rate."""
        return self._soxr is not None

    def samples(self, skip: int, count: int) -> Iterator[Array]:
        """Yield the samples int16 (n,), n from 1 to ``count``.

        Args:
            skip: First samples that are left out.
            count: Largest piece.

        Raises:
            DataError: If the file ends before its header says so, cannot be decoded, or holds
                samples that are not numbers.
        """
        pieces = self._resampled() if self.is_resampled else self._decoded(skip)
        left = skip if self.is_resampled else 0
        for piece in pieces:
            kept = piece[left:]
            left = max(0, left - len(piece))
            for start in range(0, len(kept), count):
                yield kept[start : start + count]

    def length(self) -> int:
        """Return how many samples there are; of a resampled file by resampling it."""
        if not self.is_resampled:
            return self._frames
        return sum(len(piece) for piece in self._resampled())

    def _open(self) -> Any:  # noqa: ANN401 - untyped package
        try:
            return self._soundfile.SoundFile(str(self.path))
        except (self._soundfile.SoundFileError, RuntimeError, OSError) as error:
            reason = str(getattr(error, "error_string", error)).rstrip(".")
            raise DataError(
                f"Audio file {self.path} cannot be read: {reason}; expected WAV or FLAC."
            ) from error

    def _decoded(self, skip: int) -> Iterator[Array]:
        for block in self._blocks(skip):
            yield block if self._is_plain else to_pcm(block)

    def _resampled(self) -> Iterator[Array]:
        assert self._soxr is not None
        stream = self._soxr.ResampleStream(
            self.source_rate_hz, self.rate_hz, 1, dtype="float64", quality="HQ"
        )
        for block in self._blocks(0):
            scaled = block / 32768.0 if self._is_plain else block
            yield to_pcm(np.asarray(stream.resample_chunk(scaled)))
        yield to_pcm(np.asarray(stream.resample_chunk(np.zeros(0), last=True)))

    def _blocks(self, skip: int) -> Iterator[Array]:
        """Yield int16 (n,) of a plain file, else float64 (n,)."""
        done = min(skip, self._frames)
        with self._open() as file:
            is_pcm16 = file.subtype == "PCM_16"
            try:
                file.seek(done)
                while done < self._frames:
                    read = file.read(
                        _BLOCK, dtype="int16" if is_pcm16 else "float64", always_2d=True
                    )
                    if not len(read):
                        raise DataError(
                            f"Audio file {self.path} is cut short: {done:,} samples; its header "
                            f"promises {self._frames:,}."
                        )
                    done += len(read)
                    yield self._mono(read)
            except (self._soundfile.SoundFileError, RuntimeError) as error:
                reason = str(getattr(error, "error_string", error)).rstrip(".")
                raise DataError(
                    f"Audio file {self.path} cannot be decoded after {done:,} samples: {reason}."
                ) from error

    def _mono(self, samples: Array) -> Array:
        if self._is_plain:
            return np.asarray(samples[:, 0])
        scaled = samples / 32768.0 if samples.dtype == np.int16 else samples
        if not np.isfinite(scaled).all():
            raise DataError(
                f"Audio file {self.path} holds samples that are not numbers; expected finite ones."
            )
        return np.asarray(scaled.mean(axis=1))
