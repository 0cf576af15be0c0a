"""Accuracy of keyword models, with the state reset before every clip and never reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_edge.evaluation.runners import Runner
from rnn_edge.statistics import wilson_interval
from rnn_edge.types import Array
from rnn_edge.types.frames import FrameSequence, padded


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


def keyword_metrics(truth: Array, decided: Array, labels: Sequence[str]) -> dict[str, Any]:
    """Return accuracy, macro-F1, confusion matrix and a row per class.

    Args:
        truth: int64 (N,).
        decided: int64 (N,).
        labels: Names of the classes.

    Returns:
        JSON values. ``confusion[i][j]`` counts clips of class i taken for j. Intervals are
        Wilson's at 95 %, which take clips as independent.
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
    return {
        "clips": len(truth),
        "accuracy": right / len(truth),
        "accuracy_interval": list(wilson_interval(right, len(truth))),
        "macro_f1": float(np.mean([row["f1"] for row in rows if row["count"]])),
        "confusion": confusion.tolist(),
        "per_class": rows,
    }


def evaluate_keywords(
    run: Runner, clips: Sequence[FrameSequence], labels: Sequence[str]
) -> dict[str, Any]:
    """Return `keyword_metrics` reset and unreset."""
    truth = np.array([clip.label for clip in clips], np.int64)
    return {
        name: keyword_metrics(truth, classify_clips(run, clips, reset=reset), labels)
        for name, reset in (("reset", True), ("unreset", False))
    }
