"""The window under which a model drifts most, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.spec import AdversarialStream
from rnn_edge.streams.closed_loop import ModelPair, WindowMeter
from rnn_edge.streams.mutation import Material
from rnn_edge.streams.order import sequence_order
from rnn_edge.streams.pieces import Piece, PieceStream
from rnn_edge.streams.search import WorstWindow, find_worst_window
from rnn_edge.types import Array
from rnn_edge.types.arrays import digest_of

STARTS, WARM_UP = 4, 250
"""A window of the search begins after so many parts of the recordings, of so many frames each."""

REMEMBERED = 16
"""Searches whose result is kept."""

_FOUND: dict[str, WorstWindow] = {}
"""Results by the digest of what they depend on, the oldest first."""


class AdversarialFrames(PieceStream):
    """The worst window between recordings, or end to end.

    Args:
        name: What reports call it.
        sequences: float32 (T_k, D) each, at least one of them not empty.
        steps: Frames in all.
        window: float32 (L, D).
        between: Recorded frames at least from one window to the next, whole sequences; with 0
            there are none.
        seed: Of the order of the sequences.

    Attributes:
        found: What the search found.
    """

    def __init__(
        self,
        name: str,
        sequences: Sequence[Array],
        steps: int,
        found: WorstWindow,
        between: int,
        seed: int,
    ) -> None:
        self.found = found
        self._sequences, self._between, self._seed = sequences, between, seed
        place = f"after every {between:,} recorded frames or more" if between else "end to end"
        description = (
            f"a window of {len(found.frames):,} frames {place}, over which the hidden states "
            f"drift by {found.drift:.2e} RMS; the worst of {found.evaluations:,} recorded ones "
            f"comes to {found.recorded_drift:.2e}"
        )
        super().__init__(name, description, found.frames.shape[1], steps)

    def _pieces(self) -> Iterator[Piece]:
        recorded = _recorded(self._sequences, self._seed)
        while True:
            frames = 0
            while frames < self._between:
                piece = next(recorded)
                frames += len(piece)
                yield Piece(piece, True)
            yield Piece(self.found.frames, True)


def search_window(
    spec: AdversarialStream, sequences: Sequence[Array], models: ModelPair
) -> WorstWindow:
    """Search the worst window for a model, as a stream's spec says.

    A search that this process has made already is not made again: a stream is opened anew for
    every engine that is replayed on it.

    Args:
        spec: The stream.
        sequences: float32 (T_k, D) each, what the window is made of.
        models: What it shall be worst for.

    Raises:
        DataError: If the sequences have fewer frames than a window, or another number of
            features than the models.
    """
    recorded = _recorded(sequences, spec.seed)
    frames = np.concatenate([next(recorded) for sequence in sequences if len(sequence)])
    if len(frames) < spec.window:
        raise DataError(
            f"Adversarial stream: the {spec.split} part has {len(frames):,} frames; expected at "
            f"least {spec.window:,}, one window.",
            "lower window in the stream, or take another split",
        )
    if frames.shape[1] != models.model.inputs:
        raise DataError(
            f"Adversarial stream: frames have {frames.shape[1]} features; {models.model.name} "
            f"reads {models.model.inputs}."
        )
    key = _key(spec, frames, models)
    if key not in _FOUND:
        meter = WindowMeter(models, ways_to_begin(frames))
        material = Material.of(frames, spec.window)
        found = find_worst_window(meter, material, spec.population, spec.generations, spec.seed)
        found.frames.setflags(write=False)
        if len(_FOUND) == REMEMBERED:
            del _FOUND[next(iter(_FOUND))]
        _FOUND[key] = found
    return _FOUND[key]


def ways_to_begin(frames: Array) -> Array:
    """Return parts of recordings (T, D) for engines to run before a window, (STARTS, W, D)."""
    length = min(WARM_UP, len(frames))
    first = np.linspace(0, len(frames) - length, STARTS).astype(np.int64)
    return np.asarray(frames[first[:, None] + np.arange(length)])


def _key(spec: AdversarialStream, frames: Array, models: ModelPair) -> str:
    """Return the digest of everything that a search depends on."""
    meta = {
        "window": spec.window,
        "population": spec.population,
        "generations": spec.generations,
        "seed": spec.seed,
        "float": models.float_model.digest(),
        "quantized": models.model.digest(),
    }
    return digest_of(meta, [("frames", frames)])


def _recorded(sequences: Sequence[Array], seed: int) -> Iterator[Array]:
    order = sequence_order([len(sequence) for sequence in sequences], seed)
    return (sequences[k] for k in order)
