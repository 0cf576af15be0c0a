"""Altered copies of training clips: what is heard under them, and the pool students learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnn_edge.data.mixtures import other_speech
from rnn_edge.data.noise_recordings import read_noise
from rnn_edge.data.options import SILENCE_LABEL, UNKNOWN_LABEL
from rnn_edge.data.silence import silence_clips
from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.embedded_clips import EmbeddedPool
from rnn_edge.pipeline.training_sets import POOL
from rnn_edge.reference.decisions import is_keyword
from rnn_edge.spec import ModelSpec, SpeechCommandsData
from rnn_edge.train.augment import AugmentConfig, Speech, altered_pool, pool_indices
from rnn_edge.types import Array, AudioClip, AudioDataset
from rnn_edge.types.archive import save_archive

SPEECH_S = 1200.0
"""Seconds of other words, of which pieces are heard under copies."""


def make_pool(
    spec: ModelSpec,
    dataset: AudioDataset,
    features: FrontEnd,
    folder: Path,
    tell: Callable[[int, int], None],
) -> None:
    """Write the altered copies of the training part as normalised frames.

    Args:
        spec: Says how many copies, and how far from their clips.
        dataset: Whose training part is altered.
        features: With its normaliser.
        folder: Where to write.
        tell: Called with copies done and all of them.

    Raises:
        DataError: If what the spec wants under the copies is not there.
    """
    if spec.augment is None:
        raise DataError("Spec has no [augment] section; a keyword model needs one.")
    config = AugmentConfig(**spec.augment.model_dump())
    clips = [c for c in dataset.clips if c.split == "train"]
    if config.noise_as_silence:
        clips += further_silence(spec, clips)
    labels = np.array([dataset.classes.index(c.label) for c in clips], np.int64)
    others = [k for k, label in enumerate(dataset.classes) if not is_keyword(label)]
    noises = pool_noises(spec, dataset)
    total = len(pool_indices(labels, config, others, np.random.default_rng(0)))
    longest = max(len(features.raw_frames(c.pcm)) for c in clips)
    x = np.zeros((total, longest, len(features.feature_names)), np.float32)
    lengths, targets = np.empty(total, np.int64), np.empty(total, np.int64)
    embedded = None
    if spec.teacher.kind == "embedding":
        embedded = EmbeddedPool(clips, total)
    pool = altered_pool(
        [_unit(c.pcm) for c in clips],
        labels,
        noises,
        config,
        dataset.sample_rate_hz,
        spec.seed,
        others,
        speech_beneath(spec, dataset),
    )
    for row, (index, pcm) in enumerate(pool):
        frames = features.frames(pcm)
        x[row, : len(frames)] = frames
        lengths[row], targets[row] = len(frames), labels[index]
        if embedded is not None:
            embedded.add(row, index, pcm)
        if row % 500 == 0:
            tell(row, total)
    meta = {"format": "rnn-edge pool 1"}
    save_archive(folder / POOL, meta, [("x", x), ("lengths", lengths), ("labels", targets)])
    if embedded is not None:
        embedded.save(folder, dataset)


def further_silence(spec: ModelSpec, clips: Sequence[AudioClip]) -> list[AudioClip]:
    """Return as many clips of silence as there are, out of further noise.

    Raises:
        DataError: If there is no such noise.
    """
    place = noise_place(spec)
    own = [len(clip.pcm) for clip in clips if clip.label == SILENCE_LABEL]
    if place is None or not own:
        lacking = "noise_recordings" if place is None else f'class "{SILENCE_LABEL}"'
        raise DataError(
            f"Spec: augment.noise_as_silence = true without {lacking}; expected both.",
            "name a folder of noise with --set data.noise_recordings=PATH (data of the kind "
            '"speech-commands"), or leave augment.noise_as_silence out',
        )
    noises = tuple(replace(c, split="train") for c in read_noise(place) if c.split != "test")
    made = silence_clips(noises, "train", len(own), max(own), spec.seed + 1)
    return [replace(clip, clip_id=f"{clip.clip_id}-noise") for clip in made]


def speech_beneath(spec: ModelSpec, dataset: AudioDataset) -> Speech | None:
    """Return the other words that are heard under copies; None where the spec wants none.

    Raises:
        DataError: If the training part has no other words.
    """
    if spec.augment is None or not spec.augment.speech_as_noise:
        return None
    training = [c for c in dataset.clips if c.split == "train" and c.label == UNKNOWN_LABEL]
    if not any(clip.pcm.any() for clip in training):
        raise DataError(
            f"Spec: augment.speech_as_noise = {spec.augment.speech_as_noise:g} without sound in "
            f'clips of "{UNKNOWN_LABEL}" in the training part; expected some.',
            "give data with other words, or leave augment.speech_as_noise out",
        )
    words = other_speech(dataset, "train", SPEECH_S, spec.seed)
    classes = dataset.classes
    mute = classes.index(SILENCE_LABEL) if SILENCE_LABEL in classes else None
    return Speech(words, mute)


def pool_noises(spec: ModelSpec, dataset: AudioDataset) -> list[Array]:
    """Return the noise of altered copies, each float32 in [-1, 1); all are as likely.

    Args:
        spec: Names further noise, whose last folder is for tests only.
        dataset: Has noise of its own, as much of it as of the further one.
    """
    own = [_unit(c.pcm) for c in dataset.background if c.split == "train"]
    place = noise_place(spec)
    if place is None:
        return own
    added = [_unit(c.pcm) for c in read_noise(place) if c.split != "test"]
    return own * max(1, round(len(added) / max(1, len(own)))) + added


def noise_place(spec: ModelSpec) -> Path | None:
    """Return where further noise lies; None if there is none, or nobody says."""
    place = spec.data.noise_recordings if isinstance(spec.data, SpeechCommandsData) else None
    return None if place is None else Path(place)


def _unit(pcm: Array) -> Array:
    """Return int16 PCM as float32 in [-1, 1)."""
    return np.asarray(pcm.astype(np.float32) / np.float32(32768.0))
