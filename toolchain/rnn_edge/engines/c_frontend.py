"""The exported front end on this host: compiled into a shared library, called in this process."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rnn_edge.errors import EngineError
from rnn_edge.features.fixed_point import IntegerLogMelConfig
from rnn_edge.features.fixed_point.log import RAW_BITS
from rnn_edge.features.fixed_point.logmel import levels_of, pcm_of
from rnn_edge.types import Array

_RAW_SCALE = np.float32(2.0**-RAW_BITS)


class _Memory(ctypes.Structure):
    """``rnn_edge_frontend_memory``."""

    _fields_ = tuple(
        (name, ctypes.c_void_p) for name in ("position", "pcm", "level", "spectrum", "raw")
    )


class CFrontEnd:
    """Turns PCM into log-mel frames as `IntegerLogMel` does, in C, to the same bits.

    Args:
        config: What a frame is; that of the exported front end.
        name: Name of the model that it was exported with.
        library: What `build_front_end` returned.

    Raises:
        EngineError: If the library does not load.
    """

    def __init__(self, config: IntegerLogMelConfig, name: str, library: Path) -> None:
        self.config = config
        bands = config.bands
        self._position = np.zeros(2, np.uint16)
        self._raw, self._levels = np.zeros((2, bands), np.int32)
        self._buffers = (
            self._position,
            np.zeros(config.window_samples, np.int16),
            self._levels,
            np.zeros(config.fft_size + 2, np.int32),
            self._raw,
        )
        self._memory = _Memory(*(buffer.ctypes.data for buffer in self._buffers))
        self._taken = ctypes.c_size_t()
        try:
            code = ctypes.CDLL(str(library))
            self._feed = code["rnn_edge_frontend_feed"]
            sizes = (ctypes.c_uint16 * 4).in_dll(code, f"{name}_frontend_config")
        except (OSError, AttributeError, ValueError) as error:
            raise EngineError(f"Library {library} does not load: {error}.") from error
        # A library of larger frames would write beyond these buffers.
        expected = (config.window_samples, config.hop_samples, config.fft_size, bands)
        if tuple(sizes) != expected:
            raise EngineError(
                f"Library {library} makes {sizes[3]} bands of {sizes[0]} samples every {sizes[1]}; "
                f"expected {expected[3]}, {expected[0]} and {expected[1]}.",
                "export the model again",
            )
        self._config = ctypes.c_void_p(ctypes.addressof(sizes))
        self._feed.restype = ctypes.c_bool
        self._arguments = ctypes.byref(self._memory), ctypes.byref(self._taken)

    def reset(self) -> None:
        """Forget the samples that wait for their frame to be complete; levels of noise stay."""
        self._position[0] = 0

    def memory(self) -> dict[str, Array]:
        """Return what frames depend on besides their own samples: the levels of noise."""
        return {"levels": self._levels.copy()} if self._position[1] else {}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is that of another front end.
        """
        levels = levels_of(memory, self.config)
        self._position[1] = levels is not None
        if levels is not None:
            self._levels[:] = levels

    def push(self, chunk: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Take the next samples and return the frames they complete.

        Args:
            chunk: int16 PCM, or float PCM in [-1, 1), shape (n,), n >= 0.

        Returns:
            float32 (frames, bands), natural logarithm of band power, multiples of 2^-16.
        """
        samples = np.ascontiguousarray(pcm_of(chunk))
        rows: list[Array] = []
        memory, taken = self._arguments
        at, left = samples.ctypes.data, samples.size
        while left:
            has_frame = self._feed(
                self._config, memory, ctypes.c_void_p(at), ctypes.c_size_t(left), taken
            )
            if has_frame:
                rows.append(self._raw.copy())
            at += 2 * self._taken.value
            left -= self._taken.value
        raw = np.array(rows, np.int32).reshape(-1, self.config.bands)
        # Below 2^24 in magnitude: exact.
        return np.asarray(raw.astype(np.float32) * _RAW_SCALE)
