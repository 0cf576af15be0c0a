"""Accuracy of keyword models, with the state reset before every clip and never reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_edge.data.speech_commands import speaker_of
from rnn_edge.evaluation.runners import Runner
from rnn_edge.statistics import bootstrap_interval, wilson_interval
from rnn_edge.types import Array
from rnn_edge.types.frames import FrameSequence, padded

FEWEST_SPEAKERS = 5
"""Below which there is nothing to resample."""
ROUNDS = 2000


def classify_clips(run: Runner, clips: Sequence[FrameSequence], *, reset: bool) -> Array:
    """Return the class at each clip's last frame, int64 (N,).

    Args:
        run: The model.
        clips: In the order they are heard.
        reset: Start each clip from a zero state, or carry the state through all of them.
    """
    frames = [clip.frames for clip in clips]
    if reset:
        x, lengths = padded(frames)
        last = run(x)[np.arange(len(clips)), lengths - 1]
    else:
        ends = np.cumsum([len(f) for f in frames]) - 1
        last = run(np.concatenate(frames)[None])[0, ends]
    return np.asarray(last.argmax(axis=1))


def speakers_of(clips: Sequence[FrameSequence]) -> tuple[str, ...]:
    """Return who speaks in each clip, as its name says; who is not known is nobody else."""
    return tuple(speaker_of(clip.sequence_id) or clip.sequence_id for clip in clips)


def keyword_metrics(
    truth: Array, decided: Array, labels: Sequence[str], speakers: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return accuracy, macro-F1, confusion matrix and a row per class.

    Args:
        truth: int64 (N,).
        decided: int64 (N,).
        labels: Names of the classes.
        speakers: Who speaks in each clip; None if nobody is known.

    Returns:
        JSON values. ``confusion[i][j]`` counts clips of class i taken for j. Intervals are 95 %:
        Wilson's, which take clips as independent, but of the accuracy that of resampled speakers
        where some of them speak more than once.
    """
    count = len(labels)
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (truth, decided), 1)
    hits, actual, claimed = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    rows: list[dict[str, Any]] = []
    for k, label in enumerate(labels):
        recall = hits[k] / actual[k] if actual[k] else 0.0
        precision = hits[k] / claimed[k] if claimed[k] else 0.0
        both = recall + precision
        rows.append(
            {
                "label": label,
                "count": int(actual[k]),
                "recall": float(recall),
                "recall_interval": list(wilson_interval(int(hits[k]), int(actual[k]))),
                "precision": float(precision),
                "f1": float(2 * recall * precision / both) if both else 0.0,
            }
        )
    right = int(hits.sum())
    counted = len(set(speakers or ()))
    interval = wilson_interval(right, len(truth))
    if speakers is not None and FEWEST_SPEAKERS <= counted < len(truth):
        interval = speaker_interval(truth == decided, speakers)
    return {
        "clips": len(truth),
        "accuracy": right / len(truth),
        "accuracy_interval": list(interval),
        "macro_f1": float(np.mean([row["f1"] for row in rows if row["count"]])),
        "confusion": confusion.tolist(),
        "per_class": rows,
    }


def speaker_interval(right: Array, speakers: Sequence[str]) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy over resampled speakers.

    Clips of one speaker are right or wrong together, so that there is less to be known from them
    than from as many clips of others.

    Args:
        right: bool (N,).
        speakers: Who speaks in each clip.
    """
    _, group = np.unique(np.array(speakers), return_inverse=True)
    clips = np.bincount(group)
    hits = np.bincount(group, weights=right)
    return bootstrap_interval(
        len(clips), lambda drawn: float(hits[drawn].sum() / clips[drawn].sum()), ROUNDS
    )


def evaluate_keywords(
    run: Runner, clips: Sequence[FrameSequence], labels: Sequence[str]
) -> dict[str, Any]:
    """Return `keyword_metrics` reset and unreset."""
    truth = np.array([clip.label for clip in clips], np.int64)
    who = speakers_of(clips)
    return {
        name: keyword_metrics(truth, classify_clips(run, clips, reset=reset), labels, who)
        for name, reset in (("reset", True), ("unreset", False))
    }
