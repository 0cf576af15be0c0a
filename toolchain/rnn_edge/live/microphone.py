"""A microphone, through PortAudio."""

from __future__ import annotations

import time
from threading import Event
from typing import Any

import numpy as np

from rnn_edge.errors import DeviceError
from rnn_edge.extras import require
from rnn_edge.live.queue import SampleQueue
from rnn_edge.live.source import Piece, Source

_POLL_S = 0.2


class Microphone(Source):
    """16-bit mono samples of a sound card; what is not taken in time is lost and counted.

    Args:
        device: Name or part of a name of the sound card, or its number; empty for the default.
        rate_hz: Rate of the model: the card is opened at it, nothing is resampled.
        piece_samples: Samples of a piece.

    Raises:
        MissingDependencyError: If sounddevice or PortAudio is not installed.
    """

    def __init__(self, device: str, rate_hz: int, piece_samples: int) -> None:
        self.name = f"microphone {device}".rstrip()
        self._device: str | int | None = int(device) if device.isdecimal() else device or None
        self._rate_hz, self._piece_samples = rate_hz, piece_samples
        try:
            self._sounddevice = require("sounddevice", "run", "the microphone")
        except OSError as error:
            raise DeviceError(
                f"Microphone: {error}; expected the library PortAudio.",
                "apt-get install libportaudio2",
            ) from error

    def deliver(self, queue: SampleQueue, stop: Event) -> None:
        """Put the samples into the queue.

        Raises:
            DeviceError: If there is no such sound card, or it does not do the rate.
        """
        position = 0

        def take(data: Any, frames: int, when: Any, status: Any) -> None:  # noqa: ANN401 - untyped
            nonlocal position
            del when
            samples = np.array(data[:, 0], np.int16)
            is_after_gap = bool(status and status.input_overflow)
            queue.offer(Piece(samples, position, time.monotonic(), is_after_gap))
            position += frames

        try:
            with self._sounddevice.InputStream(
                samplerate=self._rate_hz,
                blocksize=self._piece_samples,
                device=self._device,
                channels=1,
                dtype="int16",
                callback=take,
            ) as stream:
                while not stop.wait(_POLL_S):
                    if not stream.active:
                        raise DeviceError(f"{self.name} has stopped; expected samples.")
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise DeviceError(
                f"{self.name} at {self._rate_hz} Hz cannot be opened: {error}.",
                "list sound cards with: python -m sounddevice",
            ) from error
