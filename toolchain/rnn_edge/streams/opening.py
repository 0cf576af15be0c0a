"""A stream's spec and a data set make a stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_edge.errors import DataError, ModelError
from rnn_edge.spec import (
    AdversarialStream,
    SaturationStream,
    SilenceStream,
    SinesStream,
    StepsStream,
    StreamSpec,
    SyntheticStream,
)
from rnn_edge.streams.adversarial import AdversarialFrames, search_window
from rnn_edge.streams.base import ANOMALOUS, NORMAL, FrameStream
from rnn_edge.streams.closed_loop import ModelPair
from rnn_edge.streams.periodic import SineFrames, StepFrames, log_periods
from rnn_edge.streams.recorded import RecordedFrames
from rnn_edge.streams.saturation import SaturatedFrames
from rnn_edge.streams.silence import SilentFrames, quietest_sound, resting_channels
from rnn_edge.streams.synthetic import SyntheticFrames
from rnn_edge.types import Array
from rnn_edge.types.frames import FrameSequence, FrameSet


def open_stream(
    spec: StreamSpec,
    frames: FrameSet,
    *,
    steps: int | None = None,
    models: ModelPair | None = None,
    name: str = "",
) -> FrameStream:
    """Return the stream that a spec describes; reading it takes the same memory at any length.

    Opening takes as long as what the stream is drawn from: a fit for "synthetic", a search for
    "adversarial", which is done here once and not at every reading.

    Args:
        spec: From `rnn_edge.spec.load_stream`.
        frames: The data it is made of.
        steps: Frames in all; None for as many as the spec says.
        models: What an adversarial stream is worst for; the other kinds do not look at it.
        name: What reports call it; its kind by default.

    Raises:
        DataError: If the data has no frames in the spec's part, or not enough of them.
        ModelError: If an adversarial stream is opened without models.
    """
    part = frames.part(spec.split)
    if not part:
        raise DataError(
            f"Replay stream: the data has no {spec.split} part.",
            "name a stream made of another part, in replay.stream of the spec or for a replay with "
            "--stream; see calibration/",
        )
    length = spec.steps if steps is None else steps
    kind = str(getattr(spec, "kind", "recorded"))
    return _opened(spec, frames, [s.frames for s in part], length, models, name or kind)


def _opened(
    spec: StreamSpec,
    frames: FrameSet,
    part: Sequence[Array],
    steps: int,
    models: ModelPair | None,
    name: str,
) -> FrameStream:
    inputs = part[0].shape[1]
    match spec:
        case SyntheticStream():
            return SyntheticFrames(name, part, steps, spec.order, spec.seed)
        case SilenceStream():
            frame, description = (
                quietest_sound(frames, spec.split)
                if spec.task == "kws"
                else resting_channels(inputs)
            )
            return SilentFrames(name, frame, steps, description)
        case SaturationStream():
            return SaturatedFrames(name, inputs, steps, spec.stretch, spec.patterns, spec.seed)
        case StepsStream():
            periods = log_periods(spec.shortest_period, spec.longest_period, spec.periods)
            heard = np.concatenate(part)
            return StepFrames(name, heard, steps, periods, spec.seed, spec.levels)
        case SinesStream():
            periods = log_periods(spec.shortest_period, spec.longest_period, spec.periods)
            return SineFrames(name, np.concatenate(part), steps, periods, spec.seed)
        case AdversarialStream():
            if models is None:
                raise ModelError(
                    f"Stream {name} is made for a model and none was given; expected a float and "
                    f"a quantized one.",
                    "open_stream(..., models=ModelPair(float_model, model))",
                )
            found = search_window(spec, part, models)
            return AdversarialFrames(name, part, steps, found, spec.between, spec.seed)
    labels = [_labels(spec, sequence) for sequence in frames.part(spec.split)]
    is_known = any(known is not None for known in labels)
    return RecordedFrames(name, part, steps, spec.seed, labels if is_known else ())


def _labels(spec: StreamSpec, sequence: FrameSequence) -> Array | None:
    """Return what is known of the frames of a sensor recording, or None.

    The parts that are learned from hold normal operation; where their faults were left in, they
    are labelled.
    """
    if spec.task != "anomaly":
        return None
    if sequence.anomalous is not None:
        return np.where(sequence.anomalous, ANOMALOUS, NORMAL).astype(np.int8)
    if spec.split == "test":
        return None
    return np.full(len(sequence.frames), NORMAL, np.int8)
