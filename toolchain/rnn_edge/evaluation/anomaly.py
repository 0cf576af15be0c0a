"""Anomalies from forecasts: score, threshold and quality.

The model forecasts the next frame. The score of a frame is the mean squared error of its
forecast, each channel in units of its error in normal operation, smoothed over time. The
threshold is a quantile of the scores of normal validation material, times a margin; test material
never enters it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.evaluation.precision import average_precision
from rnn_edge.evaluation.runners import Runner
from rnn_edge.statistics import bootstrap_interval
from rnn_edge.types import Array
from rnn_edge.types.archive import consistent, load_archive, save_archive
from rnn_edge.types.frames import FrameSequence, padded

SMALLEST_ERROR = 1e-6
FORMAT = "rnn-edge detector 1"


@dataclass(frozen=True)
class DetectorConfig:
    """How forecasts become alarms.

    Attributes:
        smoothing_frames: Time constant of the exponential smoothing of the score.
        quantile: Of the normal validation scores, in 0..1.
        margin: Factor on that quantile.
        warmup_frames: First forecasts of a recording that do not count, while the state settles;
            frame 0 has no forecast, so that frames 0..warmup_frames score 0.
        score_limit: Largest squared error of a channel that counts, in units of its normal
            variance; one broken sensor then cannot drown the rest for ever.
    """

    smoothing_frames: float = 8.0
    quantile: float = 0.99
    margin: float = 1.0
    warmup_frames: int = 10
    score_limit: float = 100.0


@dataclass(frozen=True, eq=False)
class Detector:
    """A fitted detector.

    Attributes:
        config: How it was fitted.
        variance: float64 (D,), mean squared forecast error of each feature in normal operation.
        threshold: Scores above it are alarms.
    """

    config: DetectorConfig
    variance: Array
    threshold: float

    @classmethod
    def fit(cls, config: DetectorConfig, run: Runner, normal: Sequence[FrameSequence]) -> Detector:
        """Take variance and threshold from normal recordings.

        Raises:
            DataError: If there is no frame to fit on.
        """
        shortest = config.warmup_frames + 2
        if not any(len(s.frames) >= shortest for s in normal):
            raise DataError(
                f"Detector: every validation recording has less than {shortest} frames.",
                "lower detector.warmup_frames or give validation more data",
            )
        # All of them are run, so that stored forecasts of the whole part serve as a runner.
        errors = [
            error
            for recording, error in zip(normal, _squared_errors(run, normal), strict=True)
            if len(recording.frames) >= shortest
        ]
        settled = np.concatenate([e[config.warmup_frames :] for e in errors])
        variance = np.maximum(settled.mean(axis=0), SMALLEST_ERROR)
        scores = [_score(config, variance, e)[config.warmup_frames + 1 :] for e in errors]
        quantile = float(np.quantile(np.concatenate(scores), config.quantile))
        return cls(config, variance, quantile * config.margin)

    def save(self, path: Path) -> None:
        """Write the detector to an ``.npz``."""
        meta = {"format": FORMAT, "config": asdict(self.config), "threshold": self.threshold}
        save_archive(path, meta, [("variance", self.variance)])

    @classmethod
    def load(cls, path: Path | str) -> Detector:
        """Read what `save` wrote.

        Raises:
            BundleError: If the file is not a detector.
        """
        meta, arrays = load_archive(path, FORMAT)
        with consistent(path, FORMAT):
            return cls(DetectorConfig(**meta["config"]), arrays["variance"], meta["threshold"])

    def scores(self, run: Runner, recordings: Sequence[FrameSequence]) -> list[Array]:
        """Return the score of every frame, float64 (T,) for each recording."""
        return [_score(self.config, self.variance, e) for e in _squared_errors(run, recordings)]


def _squared_errors(run: Runner, recordings: Sequence[FrameSequence]) -> list[Array]:
    """Return squared forecast errors of frames 1..T-1, float64 (T-1, D) for each recording."""
    x, lengths = padded([r.frames for r in recordings])
    forecast = run(x)
    wide = forecast.shape[2]
    # Of a frame that holds a window of samples, the newest are forecast; they stand last.
    error = np.square(x[:, 1:, -wide:].astype(np.float64) - forecast[:, :-1])
    return [error[k, : length - 1] for k, length in enumerate(lengths)]


def _score(config: DetectorConfig, variance: Array, error: Array) -> Array:
    """Return smoothed scores of frames 0..T-1; frame 0 has no forecast and scores 0."""
    raw = np.minimum(error / variance, config.score_limit).mean(axis=1)
    raw[: config.warmup_frames] = 0.0
    keep = np.exp(-1.0 / config.smoothing_frames)
    smooth = np.empty(len(raw) + 1)
    smooth[0] = value = 0.0
    for t, sample in enumerate(raw, start=1):
        value = keep * value + (1.0 - keep) * float(sample)
        smooth[t] = value
    return smooth


@dataclass(frozen=True, eq=False)
class ScoredRecording:
    """Scores and labels of one test recording.

    Attributes:
        recording_id: As in the data set.
        scores: float64 (T,).
        anomalous: bool (T,), or None where nothing is labelled.
    """

    recording_id: str
    scores: Array
    anomalous: Array | None


def score_recordings(
    detector: Detector, run: Runner, recordings: Sequence[FrameSequence]
) -> list[ScoredRecording]:
    """Return the scores of recordings, each from a zero state."""
    scores = detector.scores(run, recordings)
    return [
        ScoredRecording(r.sequence_id, s, r.anomalous)
        for r, s in zip(recordings, scores, strict=True)
    ]


def anomaly_metrics(threshold: float, recordings: Sequence[ScoredRecording]) -> dict[str, Any]:
    """Return the quality of alarms on labelled recordings.

    Args:
        threshold: Scores above it are alarms.
        recordings: Those without labels are left out.

    Returns:
        JSON values. Precision, recall and F1 count frames, without point adjustment; an event is
        an unbroken run of anomalous frames, found if any of its frames alarms, and an alarm run
        that touches no event is a false one. Intervals resample whole recordings.

    What cannot be known is None: without labels everything but the share of frames and the number
    of runs that alarm, without an anomalous frame whatever is about finding one.
    """
    labelled = [r for r in recordings if r.anomalous is not None]
    if not labelled:
        return _unlabelled(threshold, recordings)
    counts = alarm_counts(threshold, labelled)
    tp, fp, fn, tn, found, events, false_runs = (int(v) for v in counts.sum(axis=0))
    scores = np.concatenate([r.scores for r in labelled])
    truth = np.concatenate([r.anomalous for r in labelled if r.anomalous is not None])
    ap = average_precision(scores, truth)
    if not events:
        return {
            **_unlabelled(threshold, labelled),
            "is_labelled": True,
            "false_alarm_rate": fp / (fp + tn),
        }
    event_precision = found / (found + false_runs) if found + false_runs else 0.0
    event_recall = found / events if events else 0.0
    return {
        "is_labelled": True,
        "recordings": len(labelled),
        "samples": len(truth),
        "alarm_rate": (tp + fp) / len(truth),
        "anomalous": int(truth.sum()),
        "threshold": threshold,
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / (tp + fn) if tp + fn else 0.0,
        "f1": _f1(tp, fp, fn),
        "f1_interval": list(bootstrap_interval(len(counts), lambda rows: f1_of(counts[rows, :3]))),
        "false_alarm_rate": fp / (fp + tn) if fp + tn else 0.0,
        "missing_alarm_rate": fn / (fn + tp) if fn + tp else 0.0,
        "auc_pr": None if np.isnan(ap) else ap,
        "events": events,
        "events_found": found,
        "false_alarm_runs": false_runs,
        "event_f1": _harmonic(event_precision, event_recall),
    }


def _unlabelled(threshold: float, recordings: Sequence[ScoredRecording]) -> dict[str, Any]:
    """Return what can be said where nothing is known to be anomalous."""
    alarms = [r.scores > threshold for r in recordings]
    frames = np.concatenate(alarms)
    unknown = dict.fromkeys(
        (
            "precision",
            "recall",
            "f1",
            "false_alarm_rate",
            "missing_alarm_rate",
            "auc_pr",
            "event_f1",
        )
    )
    return {
        **unknown,
        "is_labelled": False,
        "recordings": len(recordings),
        "samples": len(frames),
        "alarm_rate": float(frames.mean()),
        "anomalous": 0,
        "threshold": threshold,
        "f1_interval": None,
        "events": 0,
        "events_found": 0,
        "false_alarm_runs": sum(len(_runs(alarm)) for alarm in alarms),
    }


def alarm_counts(threshold: float, recordings: Sequence[ScoredRecording]) -> Array:
    """Return what alarms are right and wrong in each labelled recording.

    Args:
        threshold: Scores above it are alarms.
        recordings: Those without labels are left out.

    Returns:
        int64 (R, 7): frames rightly alarmed, wrongly alarmed, missed and rightly silent; events
        found, events, and alarm runs that touch no event.
    """
    rows = [_counts(r, threshold) for r in recordings if r.anomalous is not None]
    return np.array(rows, np.int64).reshape(-1, 7)


def f1_of(counts: Array) -> float:
    """Return the F1 over recordings.

    Args:
        counts: int64 (R, 3), the first columns of `alarm_counts`.
    """
    tp, fp, fn = (int(v) for v in counts.sum(axis=0))
    return _f1(tp, fp, fn)


def _counts(recording: ScoredRecording, threshold: float) -> tuple[int, ...]:
    if recording.anomalous is None:
        raise ValueError(f"{recording.recording_id} has no labels")
    truth, alarm = recording.anomalous, recording.scores > threshold
    events = _runs(truth)
    return (
        int((truth & alarm).sum()),
        int((~truth & alarm).sum()),
        int((truth & ~alarm).sum()),
        int((~truth & ~alarm).sum()),
        sum(bool(alarm[start:end].any()) for start, end in events),
        len(events),
        sum(not truth[start:end].any() for start, end in _runs(alarm)),
    )


def _runs(flags: Array) -> list[tuple[int, int]]:
    """Return the half-open ranges in which a flag is set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _f1(tp: int, fp: int, fn: int) -> float:
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
