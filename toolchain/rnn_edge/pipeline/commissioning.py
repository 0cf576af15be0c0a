"""Recordings of machines that are commissioned one by one, as frames.

A machine that is put into operation runs normally for a while, and its front end and its detector
are set to that. So every recording is normalised by its own first samples. A long normal recording
is cut into stretches, each as if the machine had been commissioned at its start: what then drifts
away from these samples without being a fault is what a model has to learn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.commissioning import FEWEST_FRAMES, commission_front_end
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.types import Array, SensorDataset, SensorRecording
from rnn_edge.types.frames import FrameSequence, FrameSet

STRETCH = 3
"""Length of a stretch, in samples that a machine is commissioned with."""


def commissioned_frames(dataset: SensorDataset, features: FrontEnd, samples: int) -> FrameSet:
    """Return all recordings as frames, each normalised by its own first samples.

    Args:
        dataset: Of a table that is cut by time, the parts of one file belong together: its
            training and validation parts are what it is commissioned with.
        features: With the normaliser of the training part, for what is too short for its own.
        samples: That a machine is commissioned with.

    Raises:
        DataError: If they are too few to tell a deviation, or no recording of the test part has
            more than these, so that no machine would be commissioned.
    """
    least = _least(features)
    if samples < least:
        raise DataError(
            f"Commissioning with {samples:,} samples; expected at least {least:,}.",
            "raise features.commission_samples or --commission; 0 commissions nothing",
        )
    sequences: list[FrameSequence] = []
    for pieces in _machines(dataset):
        known = [p.values for p in pieces if p.split != "test"]
        own = np.concatenate(known)[:samples] if known else None
        for piece in pieces:
            if piece.split == "test":
                sequences.append(_test_sequence(piece, features, own, samples))
            else:
                assert own is not None, "the piece itself is known"
                sequences += _normal_sequences(piece, features, own, samples)
    tests = [s for s in sequences if s.split == "test"]
    if tests and not any(s.commissioning for s in tests):
        longest = max(len(r.values) for r in dataset.recordings if r.split == "test")
        raise DataError(
            f"Commissioning with {samples:,} samples: the longest test recording has {longest:,}; "
            "expected one that goes on after them.",
            "lower features.commission_samples or --commission; 0 commissions nothing",
        )
    most = max(_usable(pieces) for pieces in _machines(dataset))
    if most < samples:
        raise DataError(
            f"Commissioning with {samples:,} samples: no machine has more than {most:,}; expected "
            "one with as many.",
            "lower features.commission_samples or --commission; 0 commissions nothing",
        )
    return FrameSet(features.feature_names, features.frame_rate_hz, tuple(sequences))


def _machines(dataset: SensorDataset) -> Iterator[list[SensorRecording]]:
    """Yield the recordings of one table, in the order of the data set."""
    found: dict[str, list[SensorRecording]] = {}
    for recording in dataset.recordings:
        found.setdefault(recording.recording_id.partition("#")[0], []).append(recording)
    yield from found.values()


def _usable(pieces: list[SensorRecording]) -> int:
    """Return how many samples a machine could be commissioned with."""
    known = sum(len(p.values) for p in pieces if p.split != "test")
    return known or max(len(p.values) for p in pieces)


def _normal_sequences(
    piece: SensorRecording, features: FrontEnd, own: Array, samples: int
) -> Iterator[FrameSequence]:
    length = STRETCH * samples
    if len(piece.values) < length:
        yield _sequence(piece, _set_to(features, own), piece.values)
        return
    for k, start in enumerate(range(0, len(piece.values) - length + 1, samples)):
        stretch = piece.values[start : start + length]
        sequence = _sequence(piece, _set_to(features, stretch[:samples]), stretch)
        yield replace(sequence, sequence_id=f"{piece.recording_id}+{k}", anomalous=None)


def _test_sequence(
    piece: SensorRecording, features: FrontEnd, own: Array | None, samples: int
) -> FrameSequence:
    """Return a recording to be scored, with the samples that it is commissioned with in front."""
    if own is None:
        count, values, labels = min(samples, len(piece.values)), piece.values, piece.anomalous
    else:
        count, values, labels = len(own), np.concatenate([own, piece.values]), piece.anomalous
        if labels is not None:
            labels = np.concatenate([np.zeros(count, np.bool_), labels])
    features = _set_to(features, values[:count])
    whole = SensorRecording(piece.recording_id, values, labels, piece.split)
    frames = features.config.frame_count(count) if count < len(values) else 0
    return replace(_sequence(whole, features, values), commissioning=frames)


def _set_to(features: FrontEnd, own: Array) -> FrontEnd:
    return commission_front_end(features, own) if len(own) >= _least(features) else features


def _least(features: FrontEnd) -> int:
    """Return the fewest samples that make frames enough for a normaliser."""
    return FEWEST_FRAMES * features.config.hop_samples + features.config.window_samples


def _sequence(piece: SensorRecording, features: FrontEnd, values: Array) -> FrameSequence:
    labels = piece.anomalous
    return FrameSequence(
        piece.recording_id,
        features.frames(values),
        -1,
        None if labels is None else features.frame_labels(labels),
        piece.split,
        features.skipped(values),
    )
