"""What is in a data set: counts, durations, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rnn_edge.data.options import SILENCE_LABEL
from rnn_edge.types import SPLITS, Array, AudioClip, AudioDataset, Dataset, SensorDataset, Split

CLIPPED_SHARE = 0.01
"""A clip counts as clipped where more than this share of its samples is at full scale."""
QUIET_PEAK_LSB = 50
"""A clip counts as nearly silent where no sample is larger."""
MOST_NAMES = 20
"""Longest list of examples."""


@dataclass(frozen=True)
class Findings:
    """Things of which a few are named.

    Attributes:
        count: How many there are.
        examples: The first `MOST_NAMES`, in order.
    """

    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Duration:
    """Seconds of audio or sensor data per clip or recording."""

    min_s: float
    median_s: float
    max_s: float
    total_s: float


@dataclass(frozen=True)
class ChannelSummary:
    """One sensor channel in one split."""

    min: float
    mean: float
    max: float
    std: float


@dataclass(frozen=True)
class AudioSummary:
    """What is in an audio data set.

    Attributes:
        sample_rate_hz: Of every clip.
        clips: Class to split to number of clips.
        speakers: Split to number of named speakers.
        shared_speakers: Speakers in more than one split.
        nameless_clips: Spoken clips whose speaker is not known.
        durations: Split to lengths.
        background_s: Split to seconds of background noise.
        clipped: Clips of words with more than `CLIPPED_SHARE` of the samples at full scale.
        nearly_silent: Clips of words with no sample over `QUIET_PEAK_LSB`.
        duplicates: Groups of clips with the same samples within a split, digital silence aside.
        leaks: Groups of clips with the same samples in different splits, likewise.
    """

    sample_rate_hz: int
    clips: dict[str, dict[str, int]]
    speakers: dict[str, int]
    shared_speakers: Findings
    nameless_clips: int
    durations: dict[str, Duration]
    background_s: dict[str, float]
    clipped: Findings
    nearly_silent: Findings
    duplicates: Findings
    leaks: Findings


@dataclass(frozen=True)
class SensorSummary:
    """What is in a sensor data set; values are finite, as the loaders deal with gaps and NaN.

    Attributes:
        sample_rate_hz: Samples per second.
        recordings: Split to number of recordings.
        rows: Split to number of rows.
        durations: Split to lengths of recordings.
        channels: Split to channel to its statistics.
        constant_channels: "split: channel" of those that never change.
        labelled_rows: Split to rows in recordings with labels.
        anomalous_share: Split to the share of anomalous rows among the labelled ones.
        leaks: Groups of recordings with the same values.
    """

    sample_rate_hz: float
    recordings: dict[str, int]
    rows: dict[str, int]
    durations: dict[str, Duration]
    channels: dict[str, dict[str, ChannelSummary]]
    constant_channels: tuple[str, ...]
    labelled_rows: dict[str, int]
    anomalous_share: dict[str, float]
    leaks: Findings


@dataclass(frozen=True)
class DataSummary:
    """What is in a data set.

    Attributes:
        source: Where it came from.
        is_synthetic: Whether it was made, not recorded.
        digest: Of all samples and labels.
        notes: What its loader did: resampled, filled, left out.
        audio: For audio, else None.
        sensors: For sensors, else None.
    """

    source: str
    is_synthetic: bool
    digest: str
    notes: tuple[str, ...]
    audio: AudioSummary | None
    sensors: SensorSummary | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def inspect_dataset(dataset: Dataset) -> DataSummary:
    """Look through a data set."""
    is_audio = isinstance(dataset, AudioDataset)
    return DataSummary(
        source=dataset.source,
        is_synthetic=dataset.is_synthetic,
        digest=dataset.digest(),
        notes=dataset.notes,
        audio=_audio(dataset) if isinstance(dataset, AudioDataset) else None,
        sensors=None if is_audio else _sensors(_as_sensors(dataset)),
    )


def _as_sensors(dataset: Dataset) -> SensorDataset:
    assert isinstance(dataset, SensorDataset), "there are two kinds of data sets"
    return dataset


def _audio(dataset: AudioDataset) -> AudioSummary:
    counts = Counter((clip.label, clip.split) for clip in dataset.clips)
    homes: dict[str, set[Split]] = defaultdict(set)
    for clip in dataset.clips:
        if clip.speaker:
            homes[clip.speaker].add(clip.split)
    groups = _equal(
        [(f"{clip.split}:{clip.clip_id}", clip.pcm) for clip in dataset.clips if clip.pcm.any()]
    )
    leaks = [group for group in groups if len({name.split(":")[0] for name in group}) > 1]
    spoken = [clip for clip in dataset.clips if clip.label != SILENCE_LABEL]
    rate = dataset.sample_rate_hz
    return AudioSummary(
        sample_rate_hz=rate,
        clips={c: {s: counts[c, s] for s in SPLITS} for c in dataset.classes},
        speakers={s: sum(s in found for found in homes.values()) for s in SPLITS},
        shared_speakers=_findings([name for name, found in homes.items() if len(found) > 1]),
        nameless_clips=sum(1 for clip in spoken if not clip.speaker),
        durations=_durations([(c.split, len(c.pcm) / rate) for c in dataset.clips]),
        background_s={
            s: sum(len(b.pcm) for b in dataset.background if b.split == s) / rate for s in SPLITS
        },
        clipped=_findings([clip.clip_id for clip in spoken if _is_clipped(clip)]),
        nearly_silent=_findings(
            [
                clip.clip_id
                for clip in spoken
                if int(np.abs(clip.pcm.astype(np.int32)).max()) < QUIET_PEAK_LSB
            ]
        ),
        duplicates=_findings([" = ".join(group) for group in groups if group not in leaks]),
        leaks=_findings([" = ".join(group) for group in leaks]),
    )


def _is_clipped(clip: AudioClip) -> bool:
    at_limit = (clip.pcm >= 32767) | (clip.pcm <= -32768)
    return bool(at_limit.mean() > CLIPPED_SHARE)


def _sensors(dataset: SensorDataset) -> SensorSummary:
    by_split = {s: [r for r in dataset.recordings if r.split == s] for s in SPLITS}
    channels: dict[str, dict[str, ChannelSummary]] = {}
    for split, recordings in by_split.items():
        if recordings:
            values = np.concatenate([r.values for r in recordings])
            channels[split] = {
                name: _channel(values[:, k]) for k, name in enumerate(dataset.channels)
            }
    labelled = {
        s: [r.anomalous for r in recordings if r.anomalous is not None]
        for s, recordings in by_split.items()
    }
    groups = _equal([(r.recording_id, r.values) for r in dataset.recordings])
    return SensorSummary(
        sample_rate_hz=dataset.sample_rate_hz,
        recordings={s: len(recordings) for s, recordings in by_split.items()},
        rows={s: sum(len(r.values) for r in found) for s, found in by_split.items()},
        durations=_durations(
            [(r.split, len(r.values) / dataset.sample_rate_hz) for r in dataset.recordings]
        ),
        channels=channels,
        constant_channels=tuple(
            f"{split}: {name}"
            for split, found in channels.items()
            for name, channel in found.items()
            if channel.min == channel.max
        ),
        labelled_rows={s: sum(map(len, found)) for s, found in labelled.items()},
        anomalous_share={
            s: float(np.concatenate(found).mean()) for s, found in labelled.items() if found
        },
        leaks=_findings([" = ".join(group) for group in groups]),
    )


def _channel(values: Array) -> ChannelSummary:
    return ChannelSummary(
        min=float(values.min()),
        mean=float(values.mean()),
        max=float(values.max()),
        std=float(values.std()),
    )


def _durations(lengths: Sequence[tuple[Split, float]]) -> dict[str, Duration]:
    found: dict[str, Duration] = {}
    for split in SPLITS:
        seconds = [length for home, length in lengths if home == split]
        if seconds:
            found[split] = Duration(
                min(seconds), float(np.median(seconds)), max(seconds), sum(seconds)
            )
    return found


def _equal(named: Sequence[tuple[str, Array]]) -> list[tuple[str, ...]]:
    """Return the names of arrays that are equal to the byte, a tuple per group of two or more."""
    groups: dict[bytes, list[str]] = defaultdict(list)
    for name, array in named:
        groups[hashlib.sha256(np.ascontiguousarray(array).data).digest()].append(name)
    return sorted(tuple(group) for group in groups.values() if len(group) > 1)


def _findings(names: Sequence[str]) -> Findings:
    return Findings(len(names), tuple(sorted(names)[:MOST_NAMES]))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
