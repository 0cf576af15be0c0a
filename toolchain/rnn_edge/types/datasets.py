"""Sequences as they come from disk, before any feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnn_edge.types.arrays import Array, digest_of, read_only

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class AudioClip:
    """One recording of one class.

    Attributes:
        clip_id: Path within the data set, without ending.
        pcm: int16 (N,), mono, at the data set's sample rate.
        label: One of the data set's classes.
        speaker: Who speaks, or an empty string where that is not known.
        split: The part the clip belongs to.
        is_generated: True if the clip was made on reading, in a data set of recordings.
    """

    clip_id: str
    pcm: Array
    label: str
    speaker: str
    split: Split
    is_generated: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "pcm", read_only(self.pcm, np.int16))


@dataclass(frozen=True, eq=False)
class AudioDataset:
    """Clips by class, with background noise.

    Attributes:
        source: Where it came from, for reports.
        is_synthetic: True if no microphone was involved.
        sample_rate_hz: Of every clip.
        classes: Labels in the order of the model's outputs.
        clips: In a fixed order.
        background: Noise recordings (label "_background_noise_"), each with its split, for
            augmentation and the silence class.
        notes: What was done to the data on reading (resampled, mixed down, left out), a line each.
    """

    source: str
    is_synthetic: bool
    sample_rate_hz: int
    classes: tuple[str, ...]
    clips: tuple[AudioClip, ...]
    background: tuple[AudioClip, ...]
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return the SHA-256 of all samples and labels."""
        both = [*self.clips, *self.background]
        rows = [[c.clip_id, c.label, c.speaker, c.split] for c in both]
        meta = {"rate": self.sample_rate_hz, "classes": list(self.classes), "clips": rows}
        return digest_of(meta, ((c.clip_id, c.pcm) for c in both))


@dataclass(frozen=True, eq=False)
class SensorRecording:
    """One uninterrupted table of samples.

    Attributes:
        recording_id: Name within the data set.
        values: float64 (T, D), finite: gaps are already dealt with.
        anomalous: bool (T,), or None where nothing is labelled.
        split: The part the recording belongs to.
    """

    recording_id: str
    values: Array
    anomalous: Array | None
    split: Split

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", read_only(self.values, np.float64))
        if self.anomalous is not None:
            object.__setattr__(self, "anomalous", read_only(self.anomalous, np.bool_))


@dataclass(frozen=True, eq=False)
class SensorDataset:
    """Recordings of the same channels at one sample rate.

    Attributes:
        source: Where it came from, for reports.
        is_synthetic: True if it is a simulation.
        sample_rate_hz: Samples per second.
        channels: Names of the D columns.
        recordings: In a fixed order. Training recordings hold normal operation only.
        notes: What was done to the data on reading (gaps filled, rows dropped), a line each.
    """

    source: str
    is_synthetic: bool
    sample_rate_hz: float
    channels: tuple[str, ...]
    recordings: tuple[SensorRecording, ...]
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return the SHA-256 of all samples and labels."""
        rows = [[r.recording_id, r.split, r.anomalous is not None] for r in self.recordings]
        meta = {"rate": self.sample_rate_hz, "channels": list(self.channels), "recordings": rows}
        arrays: list[tuple[str, Array]] = []
        for r in self.recordings:
            arrays.append((r.recording_id, r.values))
            if r.anomalous is not None:
                arrays.append((r.recording_id, r.anomalous))
        return digest_of(meta, arrays)


Dataset = AudioDataset | SensorDataset
