"""Streaming windows of sensor channels in integers; any chunking gives the same bits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.fixed_point import sensor_flags as flag
from rnn_edge.features.fixed_point.sensor_config import IntegerWindowConfig, raw_rows
from rnn_edge.features.fixed_point.sensor_health import (
    INPUTS,
    Health,
    after_gap,
    health_of,
    healthy,
    judge,
)
from rnn_edge.features.fixed_point.sensor_normaliser import feature_units
from rnn_edge.types import Array


class IntegerWindows:
    """Turns samples of channels into frames; the numbers are those of the C.

    Args:
        config: What a frame is, fitted to the channels.
        channels: Number of channels.

    Attributes:
        flags: uint8 (T, channels) of the frames that `push` or `frames` returned last; see
            `sensor_flags`.

    Raises:
        DataError: If the configuration is of other channels, or of none yet.
    """

    def __init__(self, config: IntegerWindowConfig, channels: int) -> None:
        if len(config.exponents) != channels:
            raise DataError(
                f"Integer windows of {len(config.exponents)} channels for {channels}; expected a "
                "configuration that is fitted to them."
            )
        self.config = config
        self.channels = channels
        self.flags: Array = np.zeros((0, channels), np.uint8)
        self._health = healthy(channels)
        self._step, self._origin = feature_units(config)
        self._inputs = np.zeros(len(self._origin), np.int64)
        """Features in integers of the last frame."""
        self._begin()

    def _begin(self) -> None:
        """Begin with an empty window."""
        self._values = np.zeros((0, self.channels), np.int64)
        self._missing, self._clipped = np.zeros((2, 0, self.channels), np.bool_)
        self._after: Health = {n: v[None][:0] for n, v in self._health.items()}
        self._before: Health = self._health
        """How the channels were when the window that is filled now began."""
        self._skip = 0

    def reset(self) -> None:
        """Forget the samples of the window and the held values; faults and stuck values stay.

        What a silent sensor's inputs are stays, too.
        """
        self._health = after_gap(self._health)
        self._begin()

    def memory(self) -> dict[str, Array]:
        """Return what frames depend on besides their own samples: how the channels are."""
        return {name: values.copy() for name, values in self._before.items()} | {
            INPUTS: self._inputs.copy()
        }

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is that of another front end.
        """
        self._health, self._inputs = health_of(memory, self.channels, len(self._inputs))
        self._begin()

    def push(self, chunk: Array) -> Array:
        """Take the next samples and return the frames they complete.

        Args:
            chunk: float (n, channels) in the unit of the data, NaN where a sample is missing, or
                raw samples, int32; n >= 0.

        Returns:
            float64 (frames, D): means, then deviations, exactly what integers they are made of;
            those of the frame before where a sensor is silent.
        """
        judged = judge(self.config, self._health, raw_rows(chunk, self.config))
        if len(judged.values):
            self._health = {name: values[-1] for name, values in judged.after.items()}
        values = np.concatenate([self._values, judged.values])
        missing = np.concatenate([self._missing, judged.missing])
        clipped = np.concatenate([self._clipped, judged.clipped])
        after = {n: np.concatenate([self._after[n], judged.after[n]]) for n in self._after}
        dropped = min(self._skip, len(values))
        count = self.config.frame_count(len(values) - dropped)
        consumed = dropped + count * self.config.hop_samples
        frames = self._summaries(
            values[dropped:], missing[dropped:], clipped[dropped:],
            {name: each[dropped:] for name, each in after.items()}, count,
        )  # fmt: skip
        begun = min(consumed, len(values))
        if begun:
            self._before = {name: each[begun - 1] for name, each in after.items()}
        self._skip += max(0, consumed - len(values)) - dropped
        self._values, self._missing = values[begun:], missing[begun:]
        self._clipped = clipped[begun:]
        self._after = {name: each[begun:] for name, each in after.items()}
        return frames

    def frames(self, samples: Array) -> Array:
        """Return all frames of a recording, independent of what was pushed before."""
        stream = IntegerWindows(self.config, self.channels)
        found = stream.push(samples)
        self.flags = stream.flags
        return found

    def _summaries(
        self, values: Array, missing: Array, clipped: Array, after: Health, count: int
    ) -> Array:
        config = self.config
        window = config.window_samples
        starts = np.arange(count) * config.hop_samples
        ends = starts + window

        def sums(samples: Array) -> Array:
            joined = np.zeros((len(samples) + 1, self.channels), np.int64)
            np.cumsum(samples, axis=0, out=joined[1:])
            return np.asarray(joined[ends] - joined[starts])

        held, fault = sums(missing), after["fault"][ends - 1]
        is_silent = (fault & flag.SILENT) > 0
        self.flags = (
            (held > 0) * flag.MISSING
            | self._is_stuck(after)[ends - 1] * flag.STUCK
            | (sums(clipped) > 0) * flag.RANGE
            | ((2 * held >= window) | is_silent) * flag.SKIPPED
            | fault
        ).astype(np.uint8)
        sum_of = sums(values)
        found = [sum_of]
        if config.has_deviation:
            found.append(floor_root(window * sums(values * values) - sum_of * sum_of))
        n = self._followed(np.concatenate(found, axis=1), np.tile(is_silent, (1, len(found))))
        return (n + self._origin) * self._step

    def _followed(self, n: Array, is_silent: Array) -> Array:
        """Return features in integers (T, D), those of silent sensors as in the frame before."""
        joined = np.concatenate([self._inputs[None], n])
        places = np.where(is_silent, 0, np.arange(1, len(joined))[:, None])
        newest = np.maximum.accumulate(places, axis=0) if len(places) else places
        followed = np.take_along_axis(joined, newest, axis=0)
        if len(followed):
            self._inputs = followed[-1]
        return followed

    def _is_stuck(self, after: Health) -> Array:
        limits = np.asarray(self.config.stuck_samples, np.int64)
        return np.asarray((limits > 0) & (after["run"] >= limits))


def floor_root(squares: Array) -> Array:
    """Return floor(sqrt(s)) of int64 below 2^60, exactly."""
    root = np.sqrt(squares.astype(np.float64)).astype(np.int64)
    root -= root * root > squares
    return np.asarray(root + ((root + 1) * (root + 1) <= squares))
