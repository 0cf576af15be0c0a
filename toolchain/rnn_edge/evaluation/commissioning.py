"""Detectors set to one machine, by its first frames in normal operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.anomaly import (
    Detector,
    ScoredRecording,
    first_scored,
    score_recordings,
)
from rnn_edge.evaluation.runners import Runner
from rnn_edge.types import Array
from rnn_edge.types.frames import FrameSequence, padded

FEWEST_SCORES = 20
"""From fewer, no threshold is taken."""
LEAST_THRESHOLD = 1e-6
"""Of a machine that stood still, or just as a model expects; 1 is the mean of a normal score."""


def commission_detector(
    detector: Detector, run: Runner, normal: FrameSequence, frame_rate_hz: float | None = None
) -> Detector:
    """Return a detector whose variances, covariance and threshold are those of one machine.

    Args:
        detector: Fitted on the validation part; how it was fitted is kept.
        run: The model.
        normal: Frames of the machine in normal operation.
        frame_rate_hz: Frames per second, which method "peaks" needs.

    Raises:
        DataError: If they are too few.
    """
    return Detector.fit(detector.config, run, [normal], detector.offsets, frame_rate_hz)


def score_commissioned(
    detector: Detector, run: Runner, recordings: Sequence[FrameSequence], frame_rate_hz: float
) -> tuple[AlarmLogic, list[ScoredRecording]]:
    """Return scores of recordings, each by the detector that its own first frames give.

    Thresholds differ, so that scores are in units of them: 1 is the threshold. What a recording
    was commissioned with is not scored. One with too few such frames is scored by the detector of
    the validation part; without any in all of them, scores are the detector's as they are.

    Args:
        detector: Fitted on the validation part.
        run: The model.
        recordings: Each with as many frames for commissioning as it says.
        frame_rate_hz: Frames per second.
    """
    if not any(r.commissioning for r in recordings):
        return detector.logic, score_recordings(detector, run, recordings)
    x, lengths = padded([r.frames for r in recordings])
    outputs = run(x)
    scored = []
    for k, recording in enumerate(recordings):
        count, whole = recording.commissioning, outputs[k : k + 1, : lengths[k]]
        own = detector
        if is_enough(detector, count):
            own = commission_detector(
                detector, _stored(whole[:, :count]), head_of(recording), frame_rate_hz
            )
        (scores,) = own.scores(_stored(whole), [recording])
        scored.append(in_thresholds(recording, scores, own.threshold))
    return replace(detector.logic, threshold=1.0), scored


def is_enough(detector: Detector, frames: int) -> bool:
    """Return whether a machine can be commissioned with so many frames."""
    return frames >= first_scored(detector.config, detector.offsets) + FEWEST_SCORES


def head_of(recording: FrameSequence) -> FrameSequence:
    """Return the frames that a recording is commissioned with."""
    count, flags = recording.commissioning, recording.anomalous
    return replace(
        recording,
        frames=recording.frames[:count],
        anomalous=None if flags is None else flags[:count],
        skipped=None if recording.skipped is None else recording.skipped[:count],
    )


def in_thresholds(recording: FrameSequence, scores: Array, threshold: float) -> ScoredRecording:
    """Return scores in units of a threshold, of the frames after commissioning."""
    count, flags = recording.commissioning, recording.anomalous
    return ScoredRecording(
        recording.sequence_id,
        scores[count:] / max(threshold, LEAST_THRESHOLD),
        None if flags is None else flags[count:],
    )


def _stored(outputs: Array) -> Runner:
    return lambda _: outputs
