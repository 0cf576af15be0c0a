"""What a build would refuse in data that was read leniently, for a first look."""

from __future__ import annotations

from rnn_edge.data.speech_commands import LEAKED, SKIPPED
from rnn_edge.types import SPLITS, AudioDataset, Dataset

REMEDIES = {
    LEAKED: "Correct the lists, or set allow_speaker_leak = true.",
    SKIPPED: 'Remove them, or set on_bad_file = "skip".',
    "missing row(s) filled": 'Set gaps = "interpolate" or "split".',
    "gap(s) cut a recording": 'Set gaps = "interpolate" or "split".',
    "missing cell(s) filled": 'Set missing_values = "interpolate" or "drop".',
    "row(s) with missing cells": 'Set missing_values = "interpolate" or "drop".',
    "dropped as constant": 'Name them in ignore_columns, or set constant_channels = "drop".',
}
"""What notes say of data that was read although something is wrong with it, and what helps."""


def refusals(dataset: Dataset) -> list[str]:
    """Return what a build would stop at, a line each.

    Args:
        dataset: Read with `rnn_edge.data.guess.LENIENT`.
    """
    sequences = dataset.clips if isinstance(dataset, AudioDataset) else dataset.recordings
    found = {sequence.split for sequence in sequences}
    lines = [
        f"The {split} part is empty; a build needs all three. Add recordings, or change the split."
        for split in SPLITS
        if split not in found and found != {"test"}
    ]
    for note in dataset.notes:
        remedy = next((remedy for mark, remedy in REMEDIES.items() if mark in note), "")
        if remedy:
            lines.append(f"A build stops at this: {note} {remedy}")
    return lines
