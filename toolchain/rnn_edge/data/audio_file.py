"""Decoding one audio file into what a data set holds."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from rnn_edge.data.resample import check_rate, resample, to_pcm
from rnn_edge.data.riff import check_riff_length
from rnn_edge.errors import DataError
from rnn_edge.extras import require
from rnn_edge.types import Array

SAMPLE_RATE_HZ = 16_000
LEAVE_OUT = 'leave such files out with on_bad_file = "skip"'
"""What to do about a file of a data set."""
"""Rate of every audio data set."""


@dataclass(frozen=True, eq=False)
class DecodedAudio:
    """One file after decoding.

    Attributes:
        pcm: int16 (N,), mono, at `SAMPLE_RATE_HZ`; N > 0.
        source_rate_hz: Rate in the file.
        source_channels: Channels in the file; several are averaged.
        is_saturated: Whether samples beyond full scale had to be limited.
    """

    pcm: Array
    source_rate_hz: int
    source_channels: int
    is_saturated: bool


def decode_audio(content: bytes, name: str, hint: str = LEAVE_OUT) -> DecodedAudio:
    """Decode a WAV or FLAC file.

    Args:
        content: The whole file.
        name: For messages.
        hint: What to do about a file that cannot be read.

    Raises:
        DataError: If it is damaged, cut short, empty, or holds a value that is not a number.
        MissingDependencyError: If the decoder is not installed.
    """
    soundfile = require("soundfile", "audio", "reading audio files")
    if not content:
        raise DataError(
            f"Audio file {name} is empty: 0 bytes; expected WAV or FLAC.",
            hint,
        )
    check_riff_length(content, len(content), name, hint)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, channels, frames = file.samplerate, file.channels, file.frames
            is_pcm16 = file.subtype == "PCM_16"
            samples = file.read(dtype="int16" if is_pcm16 else "float64", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        # The decoder's own text begins with an object's address, which differs from run to run.
        reason = str(getattr(error, "error_string", error)).rstrip(".")
        raise DataError(
            f"Audio file {name} cannot be decoded: {reason}; expected WAV or FLAC.",
            hint,
        ) from error
    if len(samples) == 0:
        raise DataError(
            f"Audio file {name} has no samples; expected a recording.",
            hint,
        )
    if len(samples) != frames:
        raise DataError(
            f"Audio file {name} is cut short: {len(samples):,} samples; "
            f"its header promises {frames:,}.",
            hint,
        )
    check_rate(rate, name, hint)
    if is_pcm16 and channels == 1 and rate == SAMPLE_RATE_HZ:
        return DecodedAudio(samples[:, 0], rate, channels, False)
    scaled = samples / 32768.0 if is_pcm16 else samples
    if not np.isfinite(scaled).all():
        raise DataError(
            f"Audio file {name} holds {int((~np.isfinite(scaled)).sum()):,} samples that are "
            "not numbers; expected finite samples.",
            hint,
        )
    mono = resample(scaled.mean(axis=1), rate, SAMPLE_RATE_HZ)
    is_saturated = bool(np.abs(mono).max(initial=0.0) > 1.0)
    return DecodedAudio(to_pcm(mono), rate, channels, is_saturated)
