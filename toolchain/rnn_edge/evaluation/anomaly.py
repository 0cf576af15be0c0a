"""Anomalies from what a model did not expect: score, threshold and alarms.

The outputs of the model stand for frames: the next one, some to come, or the last ones. The score
of a frame is what they were wrong by, in units of normal operation, smoothed over time. Threshold
and units come from normal validation material; test material never enters them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.covariance import Whitening
from rnn_edge.evaluation.peaks import PeakTail, lasting
from rnn_edge.evaluation.residuals import left_out_residuals, residuals
from rnn_edge.evaluation.runners import Runner
from rnn_edge.types import Array
from rnn_edge.types.archive import consistent, load_archive, save_archive
from rnn_edge.types.frames import FrameSequence, padded
from rnn_edge.types.offsets import NEXT_FRAME, lag_of

SMALLEST_ERROR = 1e-6
FORMAT = "rnn-edge detector 2"
NEXT_FRAME_FORMAT = "rnn-edge detector 1"
"""Before there were offsets, covariances and conditions on the length of an alarm."""
FOLDS = 8
"""Of the recordings that a tail is taken from."""
CLUSTER_TIMES = 4.0
"""Of the time constant of the score, after which a peak is another one."""


@dataclass(frozen=True)
class DetectorConfig:
    """How residuals become alarms.

    Attributes:
        smoothing_frames: Time constant of the exponential smoothing of the score.
        quantile: Of the normal validation scores, in 0..1; the threshold by method "quantile".
        margin: Factor on that quantile.
        warmup_frames: First forecasts of a recording that do not count, while the state settles;
            frame 0 has no forecast, so that frames 0..warmup_frames score 0.
        score_limit: Largest squared residual that counts, in units of its normal variance; one
            broken sensor then cannot drown the rest for ever.
        score: "variance": each residual over its own variance; "covariance": residuals made
            uncorrelated first.
        shrinkage: Share of the diagonal in the covariance; None estimates it.
        method: Of the threshold: "quantile", or "peaks" for a rate of false alarms.
        peak_quantile: Of the normal validation scores; a peak stands out above it.
        false_alarms_per_day: Wanted by method "peaks".
        cluster_frames: Peaks with fewer frames between them are one; None for `CLUSTER_TIMES` of
            the smoothing.
        least_frames: On end above the threshold, with which an alarm begins.
        release: An alarm ends at or below this part of the threshold, 0..1.
        release_frames: On end at or below it, with which an alarm ends.
    """

    smoothing_frames: float = 8.0
    quantile: float = 0.99
    margin: float = 1.0
    warmup_frames: int = 10
    score_limit: float = 100.0
    score: Literal["variance", "covariance"] = "variance"
    shrinkage: float | None = None
    method: Literal["quantile", "peaks"] = "quantile"
    peak_quantile: float = 0.98
    false_alarms_per_day: float = 1.0
    cluster_frames: int | None = None
    least_frames: int = 1
    release: float = 0.8
    release_frames: int = 1

    @property
    def frames_apart(self) -> int:
        """Frames between two peaks."""
        if self.cluster_frames is not None:
            return self.cluster_frames
        return max(1, math.ceil(CLUSTER_TIMES * self.smoothing_frames))


@dataclass(frozen=True, eq=False)
class Detector:
    """A fitted detector.

    Attributes:
        config: How it was fitted.
        variance: float64 (R,), mean squared residual of each output in normal operation.
        threshold: Scores above it are alarms.
        offsets: Of the model, see `rnn_edge.types.offsets`; R is a multiple of their number.
        whitening: float64 (R, R), lower triangular, makes residuals uncorrelated; None with a
            score by variances.
        tail: Of the peaks that the threshold follows; None with a quantile.
        scale_alone: Factor of scores by variances beside a whitening, where some residual does not
            count, so that they are above the threshold as often.
    """

    config: DetectorConfig
    variance: Array
    threshold: float
    offsets: tuple[int, ...] = NEXT_FRAME
    whitening: Array | None = None
    tail: PeakTail | None = None
    scale_alone: float = 1.0

    def __post_init__(self) -> None:
        count = len(self.variance)
        if self.variance.shape != (count,) or not count or count % len(self.offsets):
            raise ValueError(
                f"variances {self.variance.shape} of {len(self.offsets)} offsets; expected as "
                "many channels of each"
            )
        if (self.whitening is None) != (self.config.score == "variance"):
            raise ValueError(f"score {self.config.score!r} with the other one's numbers")
        if self.whitening is not None and self.whitening.shape != (count, count):
            raise ValueError(f"whitening {self.whitening.shape} of {count} residuals")

    @classmethod
    def fit(
        cls,
        config: DetectorConfig,
        run: Runner,
        normal: Sequence[FrameSequence],
        offsets: tuple[int, ...] = NEXT_FRAME,
        frame_rate_hz: float | None = None,
    ) -> Detector:
        """Take variances, covariance and threshold from normal recordings.

        Args:
            config: How.
            run: The model.
            normal: Recordings of normal operation.
            offsets: Of the model.
            frame_rate_hz: Frames per second, which method "peaks" needs.

        Raises:
            DataError: If there is no frame to fit on, or too few peaks.
        """
        start = require_scored(config, offsets, normal)
        # All of them are run, so that stored outputs of the whole part serve as a runner.
        found = [each for each in _residuals(run, normal, offsets) if len(each[0]) > start]
        unset = cls._scaled(config, offsets, found)
        if config.method == "quantile":
            scores = [unset.score(*each)[start:] for each in found]
            quantile = float(np.quantile(np.concatenate(scores), config.quantile))
            return replace(unset, threshold=quantile * config.margin)
        if frame_rate_hz is None:
            raise ValueError("false alarms per day without a frame rate")
        # Recordings look more usual by units that they gave themselves than later ones will.
        scores = []
        for fold in range(min(FOLDS, len(found))):
            others = [each for k, each in enumerate(found) if k % FOLDS != fold] or found
            units = cls._scaled(config, offsets, others)
            scores += [units.score(*each)[start:] for each in found[fold::FOLDS]]
        # An alarm that waits for some frames begins where the lowest of them is above.
        kept = [lasting(each, config.least_frames)[config.least_frames - 1 :] for each in scores]
        tail = PeakTail.fit(kept, config.peak_quantile, config.frames_apart, frame_rate_hz)
        return replace(unset, threshold=tail.height(config.false_alarms_per_day), tail=tail)

    @classmethod
    def _scaled(
        cls,
        config: DetectorConfig,
        offsets: tuple[int, ...],
        found: Sequence[tuple[Array, Array | None]],
    ) -> Detector:
        """Return a detector with the units of normal operation, and no threshold yet.

        Args:
            config: How.
            offsets: Of the model.
            found: Residuals of recordings, and which of them do not count.
        """
        start = first_scored(config, offsets)
        settled = np.concatenate([errors[start:] for errors, _ in found])
        counted = ~np.concatenate([_none_left_out(*each)[start:] for each in found])
        # Where nothing counts nothing is known of the size of an error, and 1 is that of frames.
        squares, often = np.square(settled).sum(axis=0, where=counted), counted.sum(axis=0)
        variance = np.where(often > 0, squares / np.maximum(often, 1), 1.0)
        variance = np.maximum(variance, SMALLEST_ERROR)
        if config.score == "variance":
            return cls(config, variance, 0.0, offsets)
        complete = settled[counted.all(axis=1)]
        whitening = Whitening.fit(complete, variance, config.shrinkage).matrix
        unset = cls(config, variance, 0.0, offsets, whitening)
        return replace(unset, scale_alone=unset._scale_alone(found))

    @property
    def logic(self) -> AlarmLogic:
        """When scores are alarms."""
        config = self.config
        return AlarmLogic(
            self.threshold, config.release, config.least_frames, config.release_frames
        )

    def save(self, path: Path) -> None:
        """Write the detector to an ``.npz``."""
        meta = {
            "format": FORMAT,
            "config": asdict(self.config),
            "threshold": self.threshold,
            "offsets": list(self.offsets),
            "tail": None if self.tail is None else asdict(self.tail),
            "scale_alone": self.scale_alone,
        }
        arrays = [("variance", self.variance)]
        if self.whitening is not None:
            arrays.append(("whitening", self.whitening))
        save_archive(path, meta, arrays)

    @classmethod
    def load(cls, path: Path | str) -> Detector:
        """Read what `save` wrote, also that of versions before.

        Raises:
            BundleError: If the file is not a detector.
        """
        meta, arrays = load_archive(path, FORMAT, NEXT_FRAME_FORMAT)
        with consistent(path, FORMAT):
            tail = meta.get("tail")
            return cls(
                DetectorConfig(**meta["config"]),
                arrays["variance"],
                meta["threshold"],
                tuple(meta.get("offsets", NEXT_FRAME)),
                arrays.get("whitening"),
                None if tail is None else PeakTail(**tail),
                meta.get("scale_alone", 1.0),
            )

    def scores(self, run: Runner, recordings: Sequence[FrameSequence]) -> list[Array]:
        """Return the score of every frame, float64 (T,) for each recording."""
        return [self.score(*each) for each in _residuals(run, recordings, self.offsets)]

    def score(self, errors: Array, left_out: Array | None = None) -> Array:
        """Return the smoothed score of every frame of a recording, float64 (T,).

        Args:
            errors: float64 (T, R), its residuals.
            left_out: bool (T, R), those that do not count; None for none.
        """
        raw = self.raw(errors, left_out)
        raw[: first_scored(self.config, self.offsets)] = 0.0
        keep = math.exp(-1.0 / self.config.smoothing_frames)
        smooth = np.empty(len(raw))
        value = 0.0
        for t, sample in enumerate(raw.tolist()):
            value = keep * value + (1.0 - keep) * sample
            smooth[t] = value
        return smooth

    def raw(self, errors: Array, left_out: Array | None = None) -> Array:
        """Return the score of residuals by themselves, float64 (T,).

        A residual that does not count adds nothing, and the mean is still over all of them. What
        the others then have in common with it is not known, so that such a frame is scored by the
        variances, times `scale_alone`.

        Args:
            errors: float64 (T, R).
            left_out: bool (T, R), those that do not count; None for none.
        """
        limit = self.config.score_limit
        squares = np.minimum(np.square(errors) * self.scale_alone / self.variance, limit)
        if left_out is not None:
            squares = np.where(left_out, 0.0, squares)
        raw = squares.mean(axis=1)
        if self.whitening is not None:
            white = np.minimum(np.square(errors @ self.whitening.T), limit).mean(axis=1)
            is_whole = True if left_out is None else ~left_out.any(axis=1)
            raw = np.where(is_whole, white, raw)
        return np.asarray(raw)

    def _scale_alone(self, found: Sequence[tuple[Array, Array | None]]) -> float:
        """Return by what scores by variances reach the same quantile as those of the covariance.

        Args:
            found: Residuals of normal recordings, and which of them do not count.
        """
        config = self.config
        start = first_scored(config, self.offsets)
        share = config.quantile if config.method == "quantile" else config.peak_quantile
        alone = Detector(replace(config, score="variance"), self.variance, 0.0, self.offsets)
        wanted, reached = (
            float(np.quantile(np.concatenate([of.score(*e)[start:] for e in found]), share))
            for of in (self, alone)
        )
        return wanted / reached if reached > 0.0 and wanted > 0.0 else 1.0

    def alarms(self, scores: Array) -> Array:
        """Return at which frames of a recording the alarm is on, bool (T,)."""
        return self.logic.alarms(scores)


def first_scored(config: DetectorConfig, offsets: Sequence[int]) -> int:
    """Return the first frame of a recording whose residuals are all known and count."""
    return max(config.warmup_frames + 1, lag_of(offsets))


def require_scored(
    config: DetectorConfig, offsets: Sequence[int], normal: Sequence[FrameSequence]
) -> int:
    """Return the first frame that is scored; some recording has to be that long.

    Raises:
        DataError: With the frames that it takes, and the most that there are.
    """
    start = first_scored(config, offsets)
    longest = max((len(s.frames) for s in normal), default=0)
    if longest <= start:
        raise DataError(
            f"Detector: the longest validation recording has {longest:,} frames; expected at "
            f"least {start + 1:,}, since what comes before is not scored.",
            "lower detector.warmup_frames or give validation more data",
        )
    return start


def _residuals(
    run: Runner, recordings: Sequence[FrameSequence], offsets: Sequence[int]
) -> list[tuple[Array, Array | None]]:
    """Return the residuals of every frame, float64 (T, R), and which of them do not count."""
    x, lengths = padded([r.frames for r in recordings])
    outputs = run(x)
    found: list[tuple[Array, Array | None]] = []
    for recording, frames, y, length in zip(recordings, x, outputs, lengths, strict=True):
        errors = residuals(frames[:length], y[:length], offsets)
        wide = errors.shape[1] // len(offsets)
        skipped = recording.skipped
        left_out = None
        if skipped is not None:
            left_out = left_out_residuals(skipped[:, skipped.shape[1] - wide :], offsets)
        found.append((errors, left_out))
    return found


def _none_left_out(errors: Array, left_out: Array | None) -> Array:
    return np.zeros(errors.shape, np.bool_) if left_out is None else left_out


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
