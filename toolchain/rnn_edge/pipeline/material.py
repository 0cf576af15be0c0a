"""The first stage: from a data set to normalised frames."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.data.base import all_sources, load_dataset
from rnn_edge.data.summary import inspect_dataset
from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.logmel import LogMelConfig
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig
from rnn_edge.pipeline.files import file_digest, write_json
from rnn_edge.pipeline.training_sets import POOL
from rnn_edge.registry import lookup
from rnn_edge.spec import LogMelFeatures, ModelSpec
from rnn_edge.train.augment import AugmentConfig, altered_pool, pool_indices
from rnn_edge.types import Array, AudioDataset, Dataset, SensorDataset
from rnn_edge.types.archive import save_archive
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
        DataError: If the sound has another rate than the features.
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
        window = round(rate * spec.features.window_ms / 1000.0)
        config = LogMelConfig(
            sample_rate_hz=rate,
            window_samples=window,
            hop_samples=round(rate * spec.features.hop_ms / 1000.0),
            fft_size=1 << (window - 1).bit_length(),
            bands=spec.features.bands,
            low_hz=spec.features.low_hz,
            high_hz=spec.features.high_hz,
        )
        return FrontEnd(config, ("pcm",), float(rate))
    if not isinstance(dataset, SensorDataset):
        raise DataError("Features channels: the data holds no sensor recordings.")
    windows = WindowConfig(
        spec.features.window_samples, spec.features.hop_samples, spec.features.has_deviation
    )
    return FrontEnd(windows, dataset.channels, dataset.sample_rate_hz)


def frames_of(dataset: Dataset, features: FrontEnd) -> FrameSet:
    """Return all sequences as normalised frames."""
    if isinstance(dataset, AudioDataset):
        clips = tuple(
            FrameSequence(
                c.clip_id, features.frames(c.pcm), dataset.classes.index(c.label), None, c.split
            )
            for c in dataset.clips
        )
        return FrameSet(dataset.classes, features.frame_rate_hz, clips)
    recordings = tuple(
        FrameSequence(
            r.recording_id,
            features.frames(r.values),
            -1,
            None if r.anomalous is None else features.frame_labels(r.anomalous),
            r.split,
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
    raw = np.concatenate([features.raw_frames(samples) for samples in training])
    features = replace(features, normaliser=Normaliser.fit(raw))
    features.save(folder / FRONT_END)
    frames_of(dataset, features).save(folder / FRAMES)
    if isinstance(dataset, AudioDataset):
        _make_pool(spec, dataset, features, folder / POOL, tell)
    write_json(folder / DATA, data_json(dataset))


def data_json(dataset: Dataset) -> dict[str, Any]:
    """Return what a report says of a data set."""
    return {
        "source": dataset.source,
        "is_synthetic": dataset.is_synthetic,
        "notes": list(dataset.notes),
        "summary": json.loads(json.dumps(inspect_dataset(dataset).to_json())),
    }


def _make_pool(
    spec: ModelSpec, dataset: AudioDataset, features: FrontEnd, path: Path, tell: Tell
) -> None:
    if spec.augment is None:
        raise DataError("Spec has no [augment] section; a keyword model needs one.")
    clips = [c for c in dataset.clips if c.split == "train"]
    labels = np.array([dataset.classes.index(c.label) for c in clips], np.int64)
    noises = [_unit(c.pcm) for c in dataset.background if c.split == "train"]
    config = AugmentConfig(**spec.augment.model_dump())
    total = len(pool_indices(labels, config.copies, np.random.default_rng(0)))
    longest = max(len(features.raw_frames(c.pcm)) for c in clips)
    x = np.zeros((total, longest, len(features.feature_names)), np.float32)
    lengths, targets = np.empty(total, np.int64), np.empty(total, np.int64)
    pool = altered_pool(
        [_unit(c.pcm) for c in clips], labels, noises, config, dataset.sample_rate_hz, spec.seed
    )
    for row, (index, pcm) in enumerate(pool):
        frames = features.frames(pcm)
        x[row, : len(frames)] = frames
        lengths[row], targets[row] = len(frames), labels[index]
        if row % 500 == 0:
            tell(row, total)
    meta = {"format": "rnn-edge pool 1"}
    save_archive(path, meta, [("x", x), ("lengths", lengths), ("labels", targets)])


def _unit(pcm: Array) -> Array:
    """Return int16 PCM as float32 in [-1, 1)."""
    return np.asarray(pcm.astype(np.float32) / np.float32(32768.0))
