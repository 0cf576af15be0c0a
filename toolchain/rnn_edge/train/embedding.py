"""A frozen embedding of speech that was learned from far more of it than one's own recordings.

It comes inside a Python package, as two TensorFlow Lite files: log-mel frames of 10 ms, and a
convolutional network that makes 96 numbers of 76 of them. It is heard in training only.

Source:
    Lin, Kilgour, Roblek and Sharifi, "Training Keyword Spotters with Limited and Synthesized
    Speech Data" (2020): the embedding and what it is worth with few recordings.
"""

from __future__ import annotations

from functools import cached_property
from importlib.resources import files
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.extras import require
from rnn_edge.types import Array

EXTRA = "embedding"
PURPOSE = 'a teacher of kind "embedding"'
SAMPLE_RATE_HZ = 16_000
SIZE = 96
"""Numbers of one embedding."""
HOP_SAMPLES = 1280
"""Between two embeddings: 8 frames of 10 ms."""
_FRAMES, _FRAME_HOP = 76, 8
_BANDS = 32
_MARGIN_SAMPLES = 4000
"""Silence put before and behind a clip, so that windows reach over both of its ends."""


class SpeechEmbedding:
    """The embedding of clips up to some length."""

    def __init__(self, samples: int) -> None:
        """Loads the two networks.

        Args:
            samples: Length of a clip; others are cut or filled up with silence.

        Raises:
            MissingDependencyError: If the package or the interpreter is not installed.
            DataError: If a clip is too short for a single window.
        """
        self._samples = samples
        package = require("pyopen_wakeword", EXTRA, PURPOSE)
        interpreter = require("ai_edge_litert.interpreter", EXTRA, PURPOSE)
        folder = files(package) / "models"
        self._mel = interpreter.Interpreter(
            model_content=(folder / "melspectrogram.tflite").read_bytes(), num_threads=1
        )
        self._network = interpreter.Interpreter(
            model_content=(folder / "embedding_model.tflite").read_bytes(), num_threads=1
        )
        _set_shape(self._mel, (1, samples + 2 * _MARGIN_SAMPLES))
        self._read = _FRAMES + _FRAME_HOP * (self.windows - 1)
        # Its strides over time are those of the windows: run over all frames at once it gives every
        # window's numbers, to the bit, and shares what windows have in common.
        _set_shape(self._network, (1, self._read, _BANDS, 1))

    @cached_property
    def windows(self) -> int:
        """Embeddings of a clip."""
        frames = len(self._frames(np.zeros(self._samples, np.float32)))
        if frames < _FRAMES:
            raise DataError(
                f"Embedding of clips of {self._samples:,} samples: {frames} frames of 10 ms; "
                f"expected at least {_FRAMES}.",
                "take longer clips, or another teacher: --set teacher.kind=gru",
            )
        return (frames - _FRAMES) // _FRAME_HOP + 1

    def embed(self, pcm: Array) -> Array:
        """Returns the embeddings of a clip.

        Args:
            pcm: int16 (n,), or float (n,) in [-1, 1); cut or filled up to the clips' length.

        Returns:
            float32 (windows, 96).
        """
        scale = 1.0 if pcm.dtype == np.int16 else 32768.0
        clip = np.zeros(self._samples, np.float32)
        count = min(len(pcm), self._samples)
        clip[:count] = pcm[:count] * np.float32(scale)
        found = _run(self._network, self._frames(clip)[None, : self._read, :, None])
        return found.reshape(self.windows, SIZE)

    def _frames(self, clip: Array) -> Array:
        """Returns the log-mel frames that the network reads, float32 (T, 32)."""
        filled = np.pad(clip, _MARGIN_SAMPLES)[None]
        # The scale that the network was trained with.
        return _run(self._mel, filled).reshape(-1, _BANDS) / np.float32(10.0) + np.float32(2.0)


def window_ends(windows: int) -> Array:
    """Returns where in a clip the windows end, int64 (windows,), in samples.

    A window reaches over 76 frames of 25 ms, each 10 ms behind the one before.
    """
    first = _FRAMES * 160 + 240 - _MARGIN_SAMPLES
    return first + HOP_SAMPLES * np.arange(windows)


def windows_within(samples: int, most: int) -> int:
    """Returns how many of at most so many windows belong to a clip, at least one.

    They end within it or up to the margin behind it, as those of the longest clip do.
    """
    return max(1, int((window_ends(most) <= samples + _MARGIN_SAMPLES).sum()))


def _set_shape(interpreter: Any, shape: tuple[int, ...]) -> None:  # noqa: ANN401 - untyped package
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], shape)
    interpreter.allocate_tensors()


def _run(interpreter: Any, value: Array) -> Array:  # noqa: ANN401 - untyped package
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], value)
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
