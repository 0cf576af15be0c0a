"""Clips as a teacher on a frozen embedding hears them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.train.embedding import SIZE, SpeechEmbedding, window_ends
from rnn_edge.types import Array, AudioClip, AudioDataset
from rnn_edge.types.archive import load_archive, save_archive

EMBEDDED = "embedded.npz"
FORMAT = "rnn-edge embedded clips 1"


class EmbeddedPool:
    """The pool of altered copies of the training part, as it grows."""

    def __init__(self, clips: Sequence[AudioClip], total: int) -> None:
        """Loads the embedding.

        Args:
            clips: The training part.
            total: Entries of the pool.
        """
        self._embedding = SpeechEmbedding(max(len(clip.pcm) for clip in clips))
        speakers = [clip.speaker or clip.clip_id for clip in clips]
        self._speaker = np.unique(speakers, return_inverse=True)[1]
        # Half floats: the embedding's values are within +-100, and there are many of them.
        self._x = np.zeros((total, self._embedding.windows, SIZE), np.float16)
        self._group = np.zeros(total, np.int64)
        self._clip = np.zeros(total, np.int64)

    def add(self, row: int, index: int, pcm: Array) -> None:
        """Embeds a copy.

        Args:
            row: Entry of the pool.
            index: The clip it is a copy of.
            pcm: float32 (n,) in [-1, 1).
        """
        self._x[row] = self._embedding.embed(pcm)
        self._group[row] = self._speaker[index]
        self._clip[row] = index

    def save(self, folder: Path, dataset: AudioDataset) -> None:
        """Writes the pool and the clips of the other parts."""
        arrays: list[tuple[str, Array]] = [
            ("train", self._x),
            ("groups", self._group),
            ("clips", self._clip),
        ]
        for part in ("validation", "test"):
            chosen = [clip.pcm for clip in dataset.clips if clip.split == part]
            x = np.zeros((len(chosen), *self._x.shape[1:]), np.float16)
            for k, pcm in enumerate(chosen):
                x[k] = self._embedding.embed(pcm)
            arrays.append((part, x))
        save_archive(folder / EMBEDDED, {"format": FORMAT}, arrays)


@dataclass(frozen=True, eq=False)
class EmbeddedClips:
    """What `EmbeddedPool.save` wrote.

    Attributes:
        train: float16 (N, W, 96), in the order of the pool.
        groups: int64 (N,), who speaks in an entry of the pool.
        clips: int64 (N,), the clip that an entry is a copy of.
        validation: float16 (M, W, 96), in the order of the frames.
        test: float16 (K, W, 96).
    """

    train: Array
    groups: Array
    clips: Array
    validation: Array
    test: Array

    @classmethod
    def load(cls, folder: Path) -> EmbeddedClips:
        """Reads them from the folder of the stage that made them."""
        arrays = load_archive(folder / EMBEDDED, FORMAT)[1]
        return cls(*(arrays[name] for name in ("train", "groups", "clips", "validation", "test")))


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
