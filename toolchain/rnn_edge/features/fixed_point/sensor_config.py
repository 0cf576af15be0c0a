"""What a frame of sensor channels in integers is made of, and what of it training tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.windows import WindowConfig
from rnn_edge.types import Array

NONE = -(1 << 31)
"""A raw sample that is missing."""

LARGEST_RAW = 1 << 30
"""No raw sample is expected beyond it; what a driver hands over may be any int32."""

SUM_BITS = 30
"""Sums of a window, and window times deviation, stay below 2^30 in magnitude."""

MOST_BITS = 28
"""Samples stay below 2^28 from the channel's centre: beside two marks they fit an int32."""

MOST_WINDOW, MOST_HOP = 4096, 4096
MOST_COUNT = 65_535
MOST_STUCK = 1_000_000
STUCK_FACTOR, LEAST_STUCK = 4, 16
"""A value that is repeated so many times as often as ever in training, and so often at least."""

STEP_BITS = 16
"""Steps of a channel are at most its deviation / 2^16; those of the model's input are 2^-12, and a
machine may be quieter than the others."""


@dataclass(frozen=True)
class IntegerWindowConfig(WindowConfig):
    """As for float frames, with the fixed point of every channel and what is wrong with a sample.

    A raw sample of channel c is an int32 that stands for ``raw * 2^exponents[c]`` in the unit of
    the data, or `NONE` where it is missing.

    Attributes:
        hold_samples: Missing samples on end for which a channel holds its last value; with more
            the sensor has failed.
        fault_samples: Samples on end that are out of range before the sensor has failed, and good
            ones before it works again, whatever was wrong.
        exponents: By channel; this and what follows is empty before `fitted_to`.
        low: Least raw sample that is not clipped.
        high: Greatest one.
        centre: The raw sample that sums are taken from: the mean of training.
        stuck_samples: Equal samples on end with which the sensor has failed; 0 for never.
    """

    hold_samples: int = 5
    fault_samples: int = 5
    exponents: tuple[int, ...] = ()
    low: tuple[int, ...] = ()
    high: tuple[int, ...] = ()
    centre: tuple[int, ...] = ()
    stuck_samples: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value, least, most in (
            ("window_samples", self.window_samples, 1, MOST_WINDOW),
            ("hop_samples", self.hop_samples, 1, MOST_HOP),
            ("hold_samples", self.hold_samples, 0, MOST_COUNT - 1),
            ("fault_samples", self.fault_samples, 1, MOST_COUNT),
        ):
            if not least <= value <= most:
                raise DataError(f"Integer windows: {name} = {value}; expected {least} to {most:,}.")
        channels = zip(
            self.low, self.high, self.centre, self.stuck_samples, self.exponents, strict=True
        )
        for k, (low, high, centre, stuck, _) in enumerate(channels):
            reach = self.reach
            is_near = centre - reach <= low <= high <= centre + reach
            if not (is_near and low >= -LARGEST_RAW and high <= LARGEST_RAW):
                raise DataError(
                    f"Integer windows: channel {k} has raw samples from {low:,} to {high:,} about "
                    f"{centre:,}; expected none beyond 2^30, and at most {reach:,} from there."
                )
            if not 0 <= stuck <= MOST_STUCK:
                raise DataError(
                    f"Integer windows: channel {k} has stuck_samples = {stuck:,}; expected 0 to "
                    f"{MOST_STUCK:,}."
                )

    @property
    def is_fitted(self) -> bool:
        """Whether it knows its channels."""
        return bool(self.exponents)

    @property
    def reach(self) -> int:
        """Greatest distance of a sample from its centre.

        With a window of W samples the product is below 2^30, so that sums, and W times a
        deviation, fit an int32 with room for the normaliser's difference, and W times a sum of
        squares fits 60 bits.
        """
        window_bits = (self.window_samples - 1).bit_length()
        return (1 << min(MOST_BITS, SUM_BITS - window_bits)) - 1

    def fitted_to(
        self,
        training: Sequence[Array],
        range_margin: float,
        exponents: Sequence[int] = (),
        stuck_samples: int | None = None,
    ) -> IntegerWindowConfig:
        """Return the configuration of the channels of training recordings.

        Without exponents a channel has that of the grid its values lie on, if they lie on
        multiples of a power of two; else steps as fine as those of the model's input. Either is
        coarser where the range would not fit.

        Args:
            training: float (T, C) of each recording, finite.
            range_margin: Beyond the range of training, in units of it, on either side.
            exponents: By channel; empty to choose them.
            stuck_samples: Of every channel, 0 for never; None for what training says.

        Raises:
            DataError: If given exponents do not hold the range.
        """
        channels = training[0].shape[1]
        if exponents and len(exponents) != channels:
            raise DataError(
                f"Integer windows: {len(exponents)} exponents for {channels} channels; expected "
                "one per channel, or none.",
                "leave features.exponents out to have them chosen",
            )
        found = [
            self._channel(
                k,
                [np.asarray(r[:, k], np.float64) for r in training],
                range_margin,
                exponents[k] if exponents else None,
                stuck_samples,
            )
            for k in range(channels)
        ]
        chosen, low, high, centre, stuck = zip(*found, strict=True)
        return replace(
            self, exponents=chosen, low=low, high=high, centre=centre, stuck_samples=stuck
        )

    def _channel(
        self,
        place: int,
        pieces: list[Array],
        margin: float,
        given: int | None,
        stuck: int | None,
    ) -> tuple[int, int, int, int, int]:
        values = np.concatenate(pieces)
        mean = float(values.mean())
        least, most = float(values.min()), float(values.max())
        span = most - least or max(1.0, abs(most))
        low, high = least - margin * span, most + margin * span
        coarse = max(
            _exponent_of(max(high - mean, mean - low), self.reach - 1),
            _exponent_of(max(abs(low), abs(high)), LARGEST_RAW - 1),
        )
        if given is not None and given < coarse:
            raise DataError(
                f"Integer windows: channel {place} with exponent {given}; its range {low:g} to "
                f"{high:g}, range_margin included, takes at least {coarse}.",
                f"set {coarse} in features.exponents, or a smaller features.range_margin",
            )
        exponent = self._finest(pieces, values, coarse) if given is None else given
        first, last = (round(math.ldexp(end, -exponent)) for end in (least, most))
        if given is not None and least < most and first == last:
            raise DataError(
                f"Integer windows: channel {place} with exponent {given}; its values {least:g} "
                f"to {most:g} are all one step of it, and nothing of them would be left.",
                f"set at most {math.floor(math.log2(most - least)) - 1} in features.exponents, or "
                "leave them out to have them chosen",
            )
        ends = [round(math.ldexp(value, -exponent)) for value in (low, high, mean)]
        if stuck is None:
            longest = max(longest_run(np.rint(np.ldexp(piece, -exponent))) for piece in pieces)
            wanted = max(LEAST_STUCK, STUCK_FACTOR * longest)
            stuck = wanted if wanted <= MOST_STUCK else 0
        return exponent, ends[0], ends[1], ends[2], stuck

    def _finest(self, pieces: list[Array], values: Array, coarse: int) -> int:
        """Return the exponent of a channel, at least a coarse one."""
        deviation = float(values.std())
        if self.has_deviation:
            # What varies within a window may be far less than what varies from hour to hour.
            steps = np.concatenate([np.diff(piece) for piece in pieces])
            rough = float(steps.std()) if steps.size else 0.0
            deviation = min(deviation, rough) if rough > 0.0 else deviation
        if deviation <= 0.0:
            return coarse
        finest = max(coarse, math.floor(math.log2(deviation)) - STEP_BITS)
        largest = math.floor(math.log2(max(float(np.abs(values).max()), deviation)))
        for exponent in range(largest, finest, -1):
            scaled = np.ldexp(values, -exponent)
            if (scaled == np.rint(scaled)).all():
                return exponent
        return finest


def raw_rows(values: Array, config: IntegerWindowConfig) -> Array:
    """Return samples as a driver hands them over.

    Args:
        values: float (N, C) in the unit of the data, NaN where a sample is missing; integers are
            raw samples already.
        config: Of the channels.

    Returns:
        int32 (N, C), rounded to the nearest and saturated to +-(2^31 - 1); `NONE` where missing.
    """
    given = np.asarray(values)
    if np.issubdtype(given.dtype, np.integer):
        return given.astype(np.int32)
    scaled = np.rint(np.ldexp(given.astype(np.float64), -np.asarray(config.exponents, np.int64)))
    held = np.clip(np.where(np.isnan(scaled), 0.0, scaled), -(2.0**31) + 1, 2.0**31 - 1)
    return np.where(np.isnan(scaled), NONE, held).astype(np.int64).astype(np.int32)


def longest_run(values: Array) -> int:
    """Return how often a value is repeated on end at most; 1 for never, 0 of nothing."""
    if not len(values):
        return 0
    starts = np.flatnonzero(np.concatenate([[True], np.diff(values) != 0, [True]]))
    return int(np.diff(starts).max())


def _exponent_of(distance: float, steps: int) -> int:
    """Return the least exponent with which a distance has no more steps."""
    return math.ceil(math.log2(distance / steps)) if distance > 0.0 else -126
