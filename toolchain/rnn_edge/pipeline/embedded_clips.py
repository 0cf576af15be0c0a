"""Clips as a teacher on a frozen embedding hears them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from rnn_edge.train.embedding import SIZE, SpeechEmbedding, window_ends, windows_within
from rnn_edge.types import Array, AudioClip, AudioDataset
from rnn_edge.types.archive import load_archive, save_archive

EMBEDDED = "embedded.npz"
LENGTH_STEP = 8000
"""Samples; clips are filled up to a multiple of it, or to the longest."""
FORMAT = "rnn-edge embedded clips 2"


class EmbeddedPool:
    """The pool of altered copies of the training part, as it grows."""

    def __init__(self, clips: Sequence[AudioClip], total: int) -> None:
        """Loads the embedding.

        Args:
            clips: The training part.
            total: Entries of the pool.
        """
        self._samples = max(len(clip.pcm) for clip in clips)
        self._embeddings: dict[int, SpeechEmbedding] = {}
        windows = self._embedding(self._samples).windows
        speakers = [clip.speaker or clip.clip_id for clip in clips]
        self._speaker = np.unique(speakers, return_inverse=True)[1]
        # Half floats: the embedding's values are within +-100, and there are many of them.
        self._x = np.zeros((total, windows, SIZE), np.float16)
        self._count = np.zeros(total, np.int64)
        self._group = np.zeros(total, np.int64)
        self._clip = np.zeros(total, np.int64)

    def add(self, row: int, index: int, pcm: Array) -> None:
        """Embeds a copy.

        Args:
            row: Entry of the pool.
            index: The clip it is a copy of.
            pcm: float32 (n,) in [-1, 1).
        """
        self._x[row], self._count[row] = self._embedded(pcm)
        self._group[row] = self._speaker[index]
        self._clip[row] = index

    def save(self, folder: Path, dataset: AudioDataset) -> None:
        """Writes the pool and the clips of the other parts."""
        self.embedded(dataset).save(folder)

    def embedded(self, dataset: AudioDataset) -> EmbeddedClips:
        """Returns the pool with the clips of the other parts."""
        arrays: dict[str, Array] = {}
        for part in ("validation", "test"):
            chosen = [clip.pcm for clip in dataset.clips if clip.split == part]
            x = np.zeros((len(chosen), *self._x.shape[1:]), np.float16)
            counts = np.zeros(len(chosen), np.int64)
            for k, pcm in enumerate(chosen):
                # Of a longer clip the end is heard: that is where it has its class.
                x[k], counts[k] = self._embedded(pcm[-self._samples :])
            arrays |= {part: x, f"{part}_counts": counts}
        return EmbeddedClips(self._x, self._count, self._group, self._clip, **arrays)

    def _embedded(self, pcm: Array) -> tuple[Array, int]:
        """Return the embeddings of a clip, and how many of them count.

        Those of the silence that fills it up do not: it would tell the length, and so the class.
        """
        embedding, x = self._embedding(len(pcm)), np.zeros(self._x.shape[1:], np.float32)
        count = windows_within(len(pcm), embedding.windows)
        x[:count] = embedding.embed(pcm)[:count]
        return x, count

    def _embedding(self, samples: int) -> SpeechEmbedding:
        """Return one for clips up to some length, so that short clips cost less than long ones."""
        steps = -(-samples // LENGTH_STEP)
        most = min(steps * LENGTH_STEP, self._samples)
        if most not in self._embeddings:
            self._embeddings[most] = SpeechEmbedding(most)
        return self._embeddings[most]


@dataclass(frozen=True, eq=False)
class EmbeddedClips:
    """What `EmbeddedPool.save` wrote.

    Attributes:
        train: float16 (N, W, 96), in the order of the pool.
        train_counts: int64 (N,), how many of the W windows count; behind them are zeros.
        groups: int64 (N,), who speaks in an entry of the pool.
        clips: int64 (N,), the clip that an entry is a copy of.
        validation: float16 (M, W, 96), in the order of the frames.
        validation_counts: int64 (M,).
        test: float16 (K, W, 96).
        test_counts: int64 (K,).
    """

    train: Array
    train_counts: Array
    groups: Array
    clips: Array
    validation: Array
    validation_counts: Array
    test: Array
    test_counts: Array

    def save(self, folder: Path) -> None:
        """Writes them into a folder."""
        arrays = [(each.name, getattr(self, each.name)) for each in fields(self)]
        save_archive(folder / EMBEDDED, {"format": FORMAT}, arrays)

    @classmethod
    def load(cls, folder: Path) -> EmbeddedClips:
        """Reads them from the folder of the stage that made them."""
        arrays = load_archive(folder / EMBEDDED, FORMAT)[1]
        return cls(**{each.name: arrays[each.name] for each in fields(cls)})


def ended_frames(windows: int, hop: int, window: int, frames: int) -> tuple[int, ...]:
    """Return the frame that is complete when each window of an embedding ends.

    Args:
        windows: Embeddings of a clip.
        hop: Samples between two frames.
        window: Samples under a frame.
        frames: Frames of a clip; windows that end behind it are left out.
    """
    at = (window_ends(windows) - window) // hop
    return tuple(int(k) for k in at[(at >= 0) & (at < frames)])
