"""Sequences after the features: what models read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.types.archive import consistent, load_archive, save_archive
from rnn_edge.types.arrays import Array, read_only
from rnn_edge.types.datasets import Split

FORMAT = "rnn-edge frames 1"


@dataclass(frozen=True, eq=False)
class FrameSequence:
    """Frames of one clip or recording.

    Attributes:
        sequence_id: As in the data set.
        frames: float32 (T, D), normalised, T > 0.
        label: Index of the class, or -1 for sensor recordings.
        anomalous: bool (T,), or None where nothing is labelled.
        split: The part the sequence belongs to.
        skipped: bool (T, D), features that count nothing as their sensor told nothing; None where
            all count.
        commissioning: Frames at the start that the machine was commissioned with: they set its
            normaliser and its detector, and are not scored.
    """

    sequence_id: str
    frames: Array
    label: int
    anomalous: Array | None
    split: Split
    skipped: Array | None = None
    commissioning: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "frames", read_only(self.frames, np.float32))
        if self.anomalous is not None:
            object.__setattr__(self, "anomalous", read_only(self.anomalous, np.bool_))
        if self.skipped is not None:
            object.__setattr__(self, "skipped", read_only(self.skipped, np.bool_))


@dataclass(frozen=True, eq=False)
class FrameSet:
    """All sequences of a data set.

    Attributes:
        labels: Classes, or names of the channels.
        frame_rate_hz: Frames per second.
        sequences: In the order of the data set.
    """

    labels: tuple[str, ...]
    frame_rate_hz: float
    sequences: tuple[FrameSequence, ...]

    def part(self, split: Split) -> tuple[FrameSequence, ...]:
        """Return the sequences of one part."""
        return tuple(s for s in self.sequences if s.split == split)

    def save(self, path: Path) -> None:
        """Write all sequences to an ``.npz``."""
        meta: dict[str, Any] = {
            "format": FORMAT,
            "labels": list(self.labels),
            "frame_rate_hz": self.frame_rate_hz,
            "sequences": [
                [s.sequence_id, s.label, s.split, s.anomalous is not None] for s in self.sequences
            ],
        }
        skipped = [s.skipped for s in self.sequences if s.skipped is not None]
        if skipped:
            meta["skipped"] = [s.skipped is not None for s in self.sequences]
        if any(s.commissioning for s in self.sequences):
            meta["commissioning"] = [s.commissioning for s in self.sequences]
        lengths = np.array([len(s.frames) for s in self.sequences], np.int64)
        flags = [s.anomalous for s in self.sequences if s.anomalous is not None]
        save_archive(
            path,
            meta,
            [
                ("lengths", lengths),
                ("frames", np.concatenate([s.frames for s in self.sequences])),
                ("anomalous", np.concatenate(flags) if flags else np.zeros(0, np.bool_)),
                *([("skipped", np.concatenate(skipped))] if skipped else []),
            ],
        )

    @classmethod
    def load(cls, path: Path | str) -> FrameSet:
        """Read what `save` wrote.

        Raises:
            BundleError: If the file is not such a set.
        """
        meta, arrays = load_archive(path, FORMAT)
        sequences: list[FrameSequence] = []
        start = flag_start = skip_start = 0
        with consistent(path, FORMAT):
            count = len(meta["sequences"])
            have_skipped = meta.get("skipped", [False] * count)
            commissioning = meta.get("commissioning", [0] * count)
            rows = zip(
                meta["sequences"], arrays["lengths"], have_skipped, commissioning, strict=True
            )
            for row, length, has_skipped, commissioned in rows:
                sequence_id, label, split, is_labelled = row
                flags = None
                if is_labelled:
                    flags = arrays["anomalous"][flag_start : flag_start + length]
                    flag_start += int(length)
                skipped = None
                if has_skipped:
                    skipped = arrays["skipped"][skip_start : skip_start + length]
                    skip_start += int(length)
                frames = arrays["frames"][start : start + length]
                sequences.append(
                    FrameSequence(sequence_id, frames, label, flags, split, skipped, commissioned)
                )
                start += int(length)
            ends = (start, flag_start, skip_start)
            stored = [arrays.get(n, np.zeros(0)) for n in ("frames", "anomalous", "skipped")]
            if ends != tuple(len(each) for each in stored):
                raise ValueError("lengths and frames do not match")
            return cls(tuple(meta["labels"]), meta["frame_rate_hz"], tuple(sequences))


def padded(sequences: Sequence[Array]) -> tuple[Array, Array]:
    """Return frames as float32 (N, T, D), padded with zeros, and their lengths int64 (N,)."""
    lengths = np.array([len(s) for s in sequences], np.int64)
    x = np.zeros((len(sequences), int(lengths.max()), sequences[0].shape[1]), np.float32)
    for row, frames in zip(x, sequences, strict=True):
        row[: len(frames)] = frames
    return x, lengths
