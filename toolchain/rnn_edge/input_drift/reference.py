"""The distribution of the frames that a model was calibrated on: what travels in a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.input_drift.autocorrelation import correlation_times
from rnn_edge.types import Array
from rnn_edge.types.archive import consistent, load_archive, save_archive
from rnn_edge.types.arrays import read_only

FORMAT = "rnn-edge input reference 1"

STEPS = 250
"""Quantiles 0, 1/250, ..., 1. Between two of them a distribution function is known to 1/250."""

BINS = 10
"""Deciles; a divisor of `STEPS`."""

LOWEST, HIGHEST = -32768, 32767


@dataclass(frozen=True, eq=False)
class Tally:
    """How many frames lie below the quantiles of a reference; tallies of parts add up.

    Attributes:
        below: int64 (K, D), frames below each quantile.
        at_most: int64 (K, D), frames at it or below.
        frames: All of them.
    """

    below: Array
    at_most: Array
    frames: int

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.below + other.below, self.at_most + other.at_most, self.frames + other.frames
        )


@dataclass(frozen=True, eq=False)
class InputReference:
    """What the features of the calibration frames look like, one by one.

    Attributes:
        names: Names of the D features.
        exponent: Scale of all values is 2**exponent, that of the model's input.
        frame_rate_hz: Frames per second.
        values: int16 (K, D), the quantiles k / 250 of each feature.
        tally: The calibration frames themselves, counted: exact at every quantile, so that values
            that many frames share (silence, a sensor at rest) are no trouble.
        saturated: float64 (D,), share of frames at the ends of the int16 range.
        times: float64 (D,), frames that count as one independent one.
        origin: Digest of the frames, or an empty string.
    """

    names: tuple[str, ...]
    exponent: int
    frame_rate_hz: float
    values: Array
    tally: Tally
    saturated: Array
    times: Array
    origin: str = ""

    def __post_init__(self) -> None:
        wanted = (STEPS + 1, len(self.names))
        for name, array in (
            ("values", self.values),
            ("below", self.tally.below),
            ("at_most", self.tally.at_most),
        ):
            if array.shape != wanted:
                raise ValueError(f"{name} has shape {array.shape}; expected {wanted}")
        if self.saturated.shape != wanted[1:] or self.times.shape != wanted[1:]:
            raise ValueError(f"saturated and times must have shape {wanted[1:]}")
        if self.tally.frames < 1 or not (self.times >= 1.0).all():
            raise ValueError("a reference rests on one frame at least")

    @classmethod
    def fit(
        cls,
        sequences: Sequence[Array],
        names: Sequence[str],
        *,
        exponent: int,
        frame_rate_hz: float,
        origin: str = "",
    ) -> InputReference:
        """Measure the frames of a calibration.

        Args:
            sequences: int16 (T_k, D) each, at scale 2**exponent; one for each clip or recording.
            names: Of the D features.
            exponent: Scale of the frames.
            frame_rate_hz: Frames per second.
            origin: Digest of the frames.

        Raises:
            DataError: If there is no frame.
        """
        if not any(len(sequence) for sequence in sequences):
            raise DataError("Input reference: the calibration has no frame; expected at least one.")
        frames = np.concatenate(list(sequences))
        ordered = np.sort(frames, axis=0)
        rank = np.ceil(np.arange(STEPS + 1) * len(frames) / STEPS).astype(np.int64) - 1
        values = ordered[np.maximum(rank, 0)]
        tally = _tally(ordered, values)
        draft = cls(
            names=tuple(names),
            exponent=exponent,
            frame_rate_hz=frame_rate_hz,
            values=read_only(values, np.int16),
            tally=tally,
            saturated=saturated_frames(frames) / len(frames),
            times=np.ones(len(names)),
        )
        ranks = draft.ranks(frames)
        ends = np.cumsum([len(sequence) for sequence in sequences])[:-1]
        times = correlation_times(np.split(ranks, ends), ranks.mean(axis=0))
        return cls(
            draft.names,
            exponent,
            frame_rate_hz,
            draft.values,
            tally,
            draft.saturated,
            times.reshape(2, -1).max(axis=0),
            origin,
        )

    @property
    def frames(self) -> int:
        """Calibration frames."""
        return self.tally.frames

    def count(self, x: Array) -> Tally:
        """Count frames int16 (T, D) at the quantiles."""
        return _tally(np.sort(x, axis=0), self.values)

    def ranks(self, x: Array) -> Array:
        """Return where frames lie in the calibration, and how far from its middle.

        Args:
            x: int16 (T, D).

        Returns:
            float64 (T, 2 D): u, the share of calibration frames below (half of those equal), 0..1,
            then |u - 1/2|. Correlation is measured on both, so that a feature whose spread comes
            and goes is not taken for an independent one.
        """
        middle = (self.tally.below + self.tally.at_most) / (2.0 * self.tally.frames)
        u = np.empty(x.shape)
        for d in range(x.shape[1]):
            points, first = np.unique(self.values[:, d], return_index=True)
            u[:, d] = np.interp(x[:, d], points, middle[first, d], left=0.0, right=1.0)
        return np.concatenate([u, np.abs(u - 0.5)], axis=1)

    def shares(self, tally: Tally, feature: int) -> Array:
        """Return the histogram of one feature over the deciles of the calibration, float64 (B,).

        A value that several deciles share is a bin of its own, between what lies below and above.
        """
        deciles = self.values[:: STEPS // BINS, feature]
        cuts: list[int] = []
        for k in range(len(deciles)):
            row, value = k * STEPS // BINS, deciles[k]
            is_shared = np.count_nonzero(deciles == value) > 1
            if k and is_shared and value == deciles[k - 1]:
                continue
            if is_shared:
                cuts.append(int(tally.below[row, feature]))
            if is_shared or 0 < k < BINS:
                cuts.append(int(tally.at_most[row, feature]))
        return np.diff(np.array([0, *cuts, tally.frames], np.float64)) / tally.frames

    def save(self, path: Path) -> None:
        """Write the reference to an ``.npz`` whose bytes depend on its content alone."""
        meta = {
            "format": FORMAT,
            "names": list(self.names),
            "exponent": self.exponent,
            "frame_rate_hz": self.frame_rate_hz,
            "frames": self.frames,
            "origin": self.origin,
        }
        arrays = [
            ("values", self.values),
            ("below", self.tally.below),
            ("at_most", self.tally.at_most),
            ("saturated", self.saturated),
            ("times", self.times),
        ]
        save_archive(path, meta, arrays)

    @classmethod
    def load(cls, path: Path | str) -> InputReference:
        """Read what `save` wrote.

        Raises:
            BundleError: If the file is no reference.
        """
        meta, arrays = load_archive(path, FORMAT)
        with consistent(path, FORMAT):
            return cls(
                tuple(meta["names"]),
                int(meta["exponent"]),
                float(meta["frame_rate_hz"]),
                read_only(arrays["values"], np.int16),
                Tally(
                    read_only(arrays["below"], np.int64),
                    read_only(arrays["at_most"], np.int64),
                    int(meta["frames"]),
                ),
                read_only(arrays["saturated"], np.float64),
                read_only(arrays["times"], np.float64),
                str(meta["origin"]),
            )


def _tally(ordered: Array, values: Array) -> Tally:
    below, at_most = (
        np.stack(
            [np.searchsorted(ordered[:, d], values[:, d], side) for d in range(values.shape[1])],
            axis=1,
        ).astype(np.int64)
        for side in ("left", "right")
    )
    return Tally(below, at_most, len(ordered))


def saturated_frames(x: Array) -> Array:
    """Return how many frames of each feature are at the ends of int16, int64 (D,)."""
    return np.asarray(np.count_nonzero((x == LOWEST) | (x == HIGHEST), axis=0))
