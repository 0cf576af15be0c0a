"""Pieces of a stream side by side, and the drift of a mixed model over them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from rnn_edge.drift.mixed import MixedReference
from rnn_edge.drift.mixed_variant import Variant
from rnn_edge.errors import DataError
from rnn_edge.statistics import independent_mean
from rnn_edge.streams import FrameStream
from rnn_edge.types import Array, FloatModel, QuantizedModel

LANES = 16
TRANSIENT_STEPS = 256
MEASURED_STEPS = 512
REACH_STEPS = 100_000
"""Frames of a stream within which lanes start; more would only be read, not measured."""


@dataclass(frozen=True, eq=False)
class Lanes:
    """Pieces of one stream that run side by side, each from a zero state.

    Attributes:
        frames: float32 (B, T, D).
        starts: Index of the first frame of each piece in the stream.
        transient: Leading steps that are run and not measured.
    """

    frames: Array
    starts: tuple[int, ...]
    transient: int

    @property
    def count(self) -> int:
        """Pieces B."""
        return int(self.frames.shape[0])

    @property
    def steps(self) -> int:
        """Measured steps of each piece."""
        return int(self.frames.shape[1]) - self.transient

    @property
    def worth(self) -> float:
        """How many pieces that do not overlap are as long as all of them together."""
        length = int(self.frames.shape[1])
        reach = self.starts[-1] - self.starts[0] + length
        return min(float(self.count), reach / length)

    def facts(self) -> dict[str, object]:
        """Return plain values that say what was measured."""
        return {
            "lanes": self.count,
            "transient": self.transient,
            "steps": self.steps,
            "starts": list(self.starts),
        }


def cut_lanes(
    stream: FrameStream | Array,
    lanes: int = LANES,
    transient: int = TRANSIENT_STEPS,
    steps: int = MEASURED_STEPS,
) -> Lanes:
    """Cut pieces out of a stream at even distances; those of a short stream overlap.

    Args:
        stream: Frames (T, D), or a stream, of which the first 100,000 frames are used.
        lanes: Pieces.
        transient: Leading steps of each that are not measured.
        steps: Measured steps of each.

    Raises:
        DataError: If the stream is shorter than one piece, or a number is not positive.
    """
    if lanes < 1 or transient < 0 or steps < 1:
        raise DataError(
            f"Lanes: {lanes} of {transient} + {steps} steps; expected at least one of at least "
            f"one measured step."
        )
    frames = _first(stream, REACH_STEPS) if isinstance(stream, FrameStream) else stream
    frames = np.asarray(frames, np.float32)
    if frames.ndim != 2 or len(frames) < transient + steps:
        raise DataError(
            f"Frames of shape {frames.shape}; expected (T, D) with at least "
            f"{transient + steps:,} of them: a transient of {transient:,} steps and {steps:,} "
            f"measured ones."
        )
    length = transient + steps
    starts = np.linspace(0, len(frames) - length, lanes).astype(np.int64)
    pieces = np.stack([frames[start : start + length] for start in starts])
    return Lanes(pieces, tuple(int(start) for start in starts), transient)


def _first(stream: FrameStream, steps: int) -> Array:
    found: list[Array] = []
    have = 0
    for chunk in stream.chunks():
        found.append(chunk.frames[: steps - have])
        have += len(found[-1])
        if have >= steps:
            break
    return np.concatenate(found) if found else np.zeros((0, stream.inputs), np.float32)


@dataclass(frozen=True, eq=False)
class LaneDrift:
    """Distance of a mixed model from the float model, each on its own state.

    Attributes:
        hidden: RMS over lanes, steps, units and hidden states; layers count alike.
        y: RMS of the outputs.
        states: RMS by state tensor.
        hidden_by_lane: The same as ``hidden`` for each lane, float64 (B,).
        worth: `Lanes.worth`.
    """

    hidden: float
    y: float
    states: dict[str, float]
    hidden_by_lane: Array
    worth: float

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of ``hidden`` over the lanes, independent where they do not overlap."""
        square = independent_mean(np.square(self.hidden_by_lane), self.worth)
        return float(np.sqrt(max(square.low, 0.0))), float(np.sqrt(square.high))


class LaneRuns:
    """The float model over lanes, and what any mixed model drifts from it.

    Args:
        float_model: The float model.
        model: The integer model.
        lanes: What they run over.
    """

    def __init__(self, float_model: FloatModel, model: QuantizedModel, lanes: Lanes) -> None:
        self._float_model, self._model = float_model, model
        self.lanes = lanes
        self._names = list(model.state_sizes)
        self._truth: list[tuple[Array, dict[str, Array]]] = []
        exact = MixedReference(float_model, model, (), lanes.count)
        for t in range(lanes.frames.shape[1]):
            y = exact.step(lanes.frames[:, t])
            if t >= lanes.transient:
                self._truth.append((y, exact.state))

    def drift(
        self,
        on: Collection[str] | None,
        variant: Variant | None = None,
        model: QuantizedModel | None = None,
    ) -> LaneDrift:
        """Return the drift with some quantizers on.

        Args:
            on: Names of the quantizers, None for all.
            variant: Changes to what they do.
            model: Another integer model than the one given at first.
        """
        lanes, count = self.lanes, self.lanes.count
        of = self._model if model is None else model
        mixed = MixedReference(self._float_model, of, on, count, variant)
        squares = {name: np.zeros(count) for name in ("y", *self._names)}
        for t in range(lanes.frames.shape[1]):
            y = mixed.step(lanes.frames[:, t])
            if t < lanes.transient:
                continue
            wanted_y, wanted = self._truth[t - lanes.transient]
            squares["y"] += np.square(y - wanted_y).mean(axis=1)
            for name, value in mixed.state.items():
                squares[name] += np.square(value - wanted[name]).mean(axis=1)
        means = {name: total / lanes.steps for name, total in squares.items()}
        hidden = np.mean([means[name] for name in self._names if name.startswith("h")], axis=0)
        return LaneDrift(
            hidden=_root(hidden),
            y=_root(means["y"]),
            states={name: _root(means[name]) for name in self._names},
            hidden_by_lane=np.sqrt(hidden),
            worth=lanes.worth,
        )

    def largest(self, state: str) -> float:
        """Return the largest magnitude of a state of the float model over all lanes."""
        return max(float(np.abs(states[state]).max()) for _, states in self._truth)


def _root(means: Array) -> float:
    return float(np.sqrt(np.mean(means)))
