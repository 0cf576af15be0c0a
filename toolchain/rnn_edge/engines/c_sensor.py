"""The exported sensor front end on this host: a shared library, called in this process."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnn_edge.errors import EngineError
from rnn_edge.features.fixed_point import IntegerWindowConfig
from rnn_edge.features.fixed_point.sensor_config import raw_rows
from rnn_edge.features.fixed_point.sensor_health import INPUTS, health_of
from rnn_edge.features.fixed_point.sensor_normaliser import feature_units
from rnn_edge.types import Array

_HEALTH = np.dtype(
    [
        ("previous", "<i4"),
        ("held", "<i4"),
        ("run", "<u4"),
        ("missing", "<u2"),
        ("outside", "<u2"),
        ("good", "<u2"),
        ("fault", "u1"),
        ("known", "u1"),
    ]
)
"""``rnn_edge_sensor_health``."""

_SUMS = np.dtype([("squares", "<u8"), ("sum", "<i4"), ("missing", "<u2"), ("clipped", "<u2")])
"""``rnn_edge_sensor_sums``."""


class _Memory(ctypes.Structure):
    """``rnn_edge_sensor_memory``."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("position", "health", "sums", "ring"))


class CSensor:
    """Turns raw samples into frames as `IntegerWindows` does, in C, to the same bits.

    Args:
        config: What a frame is; that of the exported front end.
        name: Name of the model that it was exported with.
        library: What `build_front_end` returned.

    Attributes:
        flags: uint8 (T, channels) of the frames that `push` returned last.

    Raises:
        EngineError: If the library does not load, or is of another front end.
    """

    def __init__(self, config: IntegerWindowConfig, name: str, library: Path) -> None:
        self.config = config
        self._step, self._origin = feature_units(config)
        channels = self.channels = len(config.exponents)
        self.flags: Array = np.zeros((0, channels), np.uint8)
        self._health = np.zeros(channels, _HEALTH)
        self._position = np.zeros(4, np.uint16)
        self._buffers = (
            self._position,
            self._health,
            np.zeros(channels, _SUMS),
            np.zeros(config.window_samples * channels, np.int32),
        )
        has_ring = config.hop_samples < config.window_samples
        addresses = [buffer.ctypes.data for buffer in self._buffers]
        self._memory = _Memory(*addresses[:3], addresses[3] if has_ring else None)
        self._raw = np.zeros(config.features(channels), np.int32)
        self._flags = np.zeros(channels, np.uint8)
        self._taken = ctypes.c_size_t()
        try:
            code = ctypes.CDLL(str(library))
            self._feed, self._gap = code["rnn_edge_sensor_feed"], code["rnn_edge_sensor_gap"]
            sizes = (ctypes.c_uint16 * 6).in_dll(code, f"{name}_frontend_config")
        except (OSError, AttributeError, ValueError) as error:
            raise EngineError(f"Library {library} does not load: {error}.") from error
        # A library of larger frames would write beyond these buffers.
        expected = (
            *(channels, config.window_samples, config.hop_samples),
            *(config.hold_samples, config.fault_samples, int(config.has_deviation)),
        )
        if tuple(sizes) != expected:
            raise EngineError(
                f"Library {library} is of another front end: {tuple(sizes)}; expected {expected}.",
                "export the model again",
            )
        self._config = ctypes.c_void_p(ctypes.addressof(sizes))
        self._feed.restype, self._gap.restype = ctypes.c_bool, None
        self._begin()

    def _begin(self) -> None:
        """Begin with an empty window."""
        self._seen = 0
        self._befores: deque[tuple[int, Array]] = deque([(0, self._health.copy())])
        """How the channels were when a window began, and the row that it began with."""

    def reset(self) -> None:
        """Forget the samples of the window and the held values; faults and stuck values stay."""
        self._gap(self._config, ctypes.byref(self._memory))
        self._begin()

    def memory(self) -> dict[str, Array]:
        """Return what frames depend on besides their own samples: how the channels are."""
        health = self._befores[0][1]
        known = {name: health[name].astype(np.int64) for name in _HEALTH.names or ()}
        return known | {INPUTS: self._raw.astype(np.int64)}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is that of another front end.
        """
        found, self._raw[:] = health_of(memory, self.channels, len(self._raw))
        self._gap(self._config, ctypes.byref(self._memory))
        for name, values in found.items():
            self._health[name] = values
        self._begin()

    def push(self, chunk: Array) -> Array:
        """Take the next samples and return the frames they complete.

        Args:
            chunk: As of `IntegerWindows.push`.

        Returns:
            float64 (frames, D), the features of `IntegerWindows`.
        """
        rows = np.ascontiguousarray(raw_rows(chunk, self.config))
        hop = self.config.hop_samples
        found: list[Array] = []
        flags: list[Array] = []
        at = 0
        while at < len(rows):
            # Up to where a window may begin, as it is gone on from there.
            until = hop - self._seen % hop
            has_frame = self._feed(
                self._config,
                ctypes.byref(self._memory),
                ctypes.c_void_p(rows.ctypes.data + at * rows.strides[0]),
                ctypes.c_size_t(min(until, len(rows) - at)),
                ctypes.c_void_p(self._raw.ctypes.data),
                ctypes.c_void_p(self._flags.ctypes.data),
                ctypes.byref(self._taken),
            )
            at += self._taken.value
            self._seen += self._taken.value
            if self._seen % hop == 0:
                self._befores.append((self._seen, self._health.copy()))
            if has_frame:
                found.append(self._raw.copy())
                flags.append(self._flags.copy())
                begun = self._befores[0][0] + hop
                while self._befores[0][0] < begun and len(self._befores) > 1:
                    self._befores.popleft()
        self.flags = np.array(flags, np.uint8).reshape(-1, self.channels)
        raw = np.array(found, np.int32).reshape(-1, len(self._raw))
        return (raw + self._origin) * self._step
