"""The first stage: from a data set to normalised frames."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.data.base import all_sources, load_dataset
from rnn_edge.data.summary import inspect_dataset
from rnn_edge.errors import DataError
from rnn_edge.features.fixed_point import IntegerLogMelConfig, IntegerWindowConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig
from rnn_edge.pipeline.commissioning import commissioned_frames
from rnn_edge.pipeline.files import file_digest, write_json
from rnn_edge.pipeline.pool import make_pool
from rnn_edge.registry import known, lookup
from rnn_edge.spec import ChannelFeatures, LogMelFeatures, ModelSpec
from rnn_edge.types import Array, AudioDataset, Dataset, SensorDataset
from rnn_edge.types.frames import FrameSequence, FrameSet

FRAMES = "frames.npz"
FRONT_END = "front_end.npz"
DATA = "data.json"
PARTS = ("train", "validation", "test")

Tell = Callable[[int, int], None]
"""Called with done and total."""


def read_dataset(spec: ModelSpec, path: Path | None) -> Dataset:
    """Load the data set that a spec describes, from another place if one is given."""
    source = lookup(all_sources(), spec.data.kind, "kind of data")
    return load_dataset(spec.data.kind, path, source.options(**spec.data.options()), seed=spec.seed)


def require_place(path: Path | None) -> None:
    """Refuse a place where nothing lies.

    Raises:
        DataError: Naming it.
    """
    if path is not None and not (path.is_file() or path.is_dir()):
        raise DataError(
            f"Data {path} does not exist; expected a folder or an archive.",
            "name the place with --data",
        )


def require_parts(splits: Iterable[str], needed: Mapping[str, str]) -> None:
    """Refuse data that lacks a part, before anything is trained on it.

    Args:
        splits: The part of every sequence.
        needed: Parts that must not be empty, and what each is needed for.

    Raises:
        DataError: With the number of sequences in each part.
    """
    count = Counter(splits)
    listed = ", ".join(f"{count[part]:,} {part}" for part in PARTS)
    for part, use in needed.items():
        if not count[part]:
            raise DataError(
                f"Data: the {part} part is empty ({listed}); it is needed for {use}.",
                "change how [data] splits, or add data; see what is there with: "
                "rnn-edge data inspect PATH",
            )


def fingerprint(path: Path | None) -> str:
    """Return the digest of what lies at a path: a file's bytes, or all files of a folder.

    Raises:
        DataError: If nothing is there.
    """
    if path is None:
        return ""
    require_place(path)
    if path.is_file():
        return file_digest(path)
    hasher = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        hasher.update(f"{file.relative_to(path).as_posix()}\0{file_digest(file)}\n".encode())
    return hasher.hexdigest()


def front_end(spec: ModelSpec, dataset: Dataset) -> FrontEnd:
    """Return the features that a spec describes, without a normaliser.

    Raises:
        DataError: If the sound has another rate than the features, or raw samples of a sensor do
            not hold what its training part does.
    """
    if isinstance(spec.features, LogMelFeatures):
        if not isinstance(dataset, AudioDataset):
            raise DataError("Features log-mel: the data holds no sound.")
        rate = spec.features.sample_rate_hz
        if dataset.sample_rate_hz != rate:
            raise DataError(
                f"Features: sample_rate_hz = {rate}; the sound has {dataset.sample_rate_hz}.",
                f"set features.sample_rate_hz={dataset.sample_rate_hz}",
            )
        return FrontEnd(sound_config(spec.features), ("pcm",), float(rate))
    if not isinstance(dataset, SensorDataset):
        raise DataError("Features channels: the data holds no sensor recordings.")
    return FrontEnd(sensor_config(spec.features, dataset), dataset.channels, dataset.sample_rate_hz)


def sensor_config(features: ChannelFeatures, dataset: SensorDataset) -> WindowConfig:
    """Return what a frame of sensor channels is made of.

    Raises:
        DataError: If raw samples with the exponents of the spec do not hold the training part.
    """
    shape = (features.window_samples, features.hop_samples, features.has_deviation)
    if features.arithmetic == "float":
        return WindowConfig(*shape)
    training = [r.values for r in dataset.recordings if r.split == "train"]
    require_parts((r.split for r in dataset.recordings), {"train": "the range of each channel"})
    return IntegerWindowConfig(*shape, features.hold_samples, features.fault_samples).fitted_to(
        training, features.range_margin, features.exponents, features.stuck_samples
    )


def sound_config(features: LogMelFeatures) -> LogMelConfig:
    """Return what a frame of sound is made of."""
    config = LogMelConfig(
        sample_rate_hz=features.sample_rate_hz,
        window_samples=features.window_samples,
        hop_samples=round(features.sample_rate_hz * features.hop_ms / 1000.0),
        fft_size=1 << (features.window_samples - 1).bit_length(),
        bands=features.bands,
        low_hz=features.low_hz,
        high_hz=features.high_hz,
    )
    if features.arithmetic == "float":
        return config
    return IntegerLogMelConfig(
        **asdict(config),
        noise_suppression=features.noise_suppression,
        gain_normalisation=features.gain_normalisation,
    )


def commission_samples(spec: ModelSpec) -> int:
    """Return with how many samples each machine is commissioned; 0 for none."""
    features = spec.features
    return features.commission_samples if isinstance(features, ChannelFeatures) else 0


def frames_of(dataset: Dataset, features: FrontEnd, commission_samples: int = 0) -> FrameSet:
    """Return all sequences as normalised frames.

    Args:
        dataset: What they are made of.
        features: With the normaliser of the training part.
        commission_samples: Of sensor recordings, by which each is normalised; 0 for none.
    """
    if isinstance(dataset, AudioDataset):
        clips = tuple(
            FrameSequence(
                c.clip_id, features.frames(c.pcm), dataset.classes.index(c.label), None, c.split
            )
            for c in dataset.clips
        )
        return FrameSet(dataset.classes, features.frame_rate_hz, clips)
    if commission_samples:
        return commissioned_frames(dataset, features, commission_samples)
    recordings = tuple(
        FrameSequence(
            r.recording_id,
            features.frames(r.values),
            -1,
            None if r.anomalous is None else features.frame_labels(r.anomalous),
            r.split,
            features.skipped(r.values),
        )
        for r in dataset.recordings
    )
    return FrameSet(features.feature_names, features.frame_rate_hz, recordings)


def make_frames(spec: ModelSpec, dataset: Dataset, folder: Path, tell: Tell) -> None:
    """Write frames of every split, the fitted front end, a summary and the training pool.

    Args:
        spec: The spec.
        dataset: What it describes.
        folder: Where to write.
        tell: Progress of the pool.
    """
    features = front_end(spec, dataset)
    if isinstance(dataset, AudioDataset):
        training = [c.pcm for c in dataset.clips if c.split == "train"]
    else:
        training = [r.values for r in dataset.recordings if r.split == "train"]
    raw = np.concatenate([_counting(features, samples) for samples in training])
    if not len(raw):
        raise _nothing_counts(spec, features, max(len(samples) for samples in training))
    features = replace(features, normaliser=Normaliser.fit(raw))
    features.save(folder / FRONT_END)
    frames_of(dataset, features, commission_samples(spec)).save(folder / FRAMES)
    if isinstance(dataset, AudioDataset):
        make_pool(spec, dataset, features, folder, tell)
    write_json(folder / DATA, data_json(dataset))


def _nothing_counts(spec: ModelSpec, features: FrontEnd, longest: int) -> DataError:
    """Return the error about a training part without a frame in which every sensor tells something.

    Args:
        spec: The spec.
        features: Its front end.
        longest: Samples of the longest training recording.
    """
    assert isinstance(spec.features, ChannelFeatures), "sound has no sensors that fail"
    window, stuck = spec.features.window_samples, spec.features.stuck_samples
    if longest < window:
        # Its last row is repeated up to a window, which looks like a sensor that is stuck.
        return DataError(
            f"Features: window_samples = {window:,}; the longest recording of the training part "
            f"has {longest:,} samples, expected at least one window.",
            f"set features.window_samples to at most {longest}, or give longer recordings",
        )
    if stuck is None:
        config = features.config
        assert isinstance(config, IntegerWindowConfig), "floating point finds no failed sensors"
        fitted = known([f"{count:,}" for count in config.stuck_samples])
        return DataError(
            "Features: a sensor has failed in every frame of the training part, by "
            f"stuck_samples as fitted to it ({fitted}); expected frames to train on.",
            "set features.stuck_samples to a greater number, or to 0 for sensors that may stand "
            "still",
        )
    return DataError(
        "Features: a sensor has failed in every frame of the training part, by "
        f"stuck_samples = {stuck:,}; expected frames to train on.",
        "leave features.stuck_samples out, or set a greater one",
    )


def _counting(features: FrontEnd, samples: Array) -> Array:
    """Return the frames before normalisation in which every sensor tells something."""
    raw, skipped = features.raw_frames(samples), features.skipped(samples)
    return raw if skipped is None else raw[~skipped.any(axis=1)]


def data_json(dataset: Dataset) -> dict[str, Any]:
    """Return what a report says of a data set."""
    return {
        "source": dataset.source,
        "is_synthetic": dataset.is_synthetic,
        "notes": list(dataset.notes),
        "summary": json.loads(json.dumps(inspect_dataset(dataset).to_json())),
    }
