"""Decisions on a stream that goes on: frame by frame, and after smoothing and threshold.

Keywords: the probabilities are averaged over the last frames; a detection is a keyword whose mean
probability reaches the threshold. Anomalies: the score of `Detector`, whose threshold it is.

Source:
    Chen, Parada and Heigold, "Small-footprint keyword spotting using deep neural networks" (2014):
    posterior smoothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_edge.evaluation.anomaly import Detector
from rnn_edge.types import Array, HeadKind
from rnn_edge.types.decisions import NOTHING, Decided

NO_KEYWORDS = ("unknown", "silence")
"""Labels that are never detected."""

_BLOCK = 256


class KeywordRule:
    """Decides on the outputs of a keyword model.

    Args:
        labels: Names of the outputs.
        head_kind: "softmax" where the outputs are probabilities already.
        smoothing_frames: Frames that are averaged.
        threshold: Least mean probability of a detection.
    """

    frame_kind = "label with the largest output"

    def __init__(
        self,
        labels: Sequence[str],
        head_kind: HeadKind,
        smoothing_frames: int,
        threshold: float,
    ) -> None:
        self.detection_kind = (
            f"keyword with a mean probability of {threshold:g} over {smoothing_frames} frames"
        )
        self._is_keyword = np.array([label.lower() not in NO_KEYWORDS for label in labels])
        self._is_probability = head_kind == "softmax"
        self._threshold = threshold
        # Frames before the first one are taken to say nothing.
        self._before = np.zeros((smoothing_frames, len(labels)))

    def update(self, frames: Array, outputs: Array) -> Decided:
        """Decide on the outputs float (T, C); the frames do not matter."""
        values = outputs.astype(np.float64)
        if not self._is_probability:
            values = np.exp(values - values.max(axis=1, keepdims=True))
            values /= values.sum(axis=1, keepdims=True)
        window = len(self._before)
        joined = np.concatenate([self._before, values])
        self._before = joined[-window:]
        sums = np.cumsum(joined, axis=0)
        smoothed = np.where(self._is_keyword, (sums[window:] - sums[:-window]) / window, 0.0)
        best = smoothed.argmax(axis=1)
        scores = np.take_along_axis(smoothed, best[:, None], 1)[:, 0]
        detections = np.where(scores >= self._threshold, best + 1, NOTHING)
        return Decided(outputs.argmax(axis=1), detections, scores)


class AlarmRule:
    """Decides on the forecasts of an anomaly model.

    Args:
        detector: As fitted; its warm-up is that of the stream, which starts once.
    """

    frame_kind = "whether the error of one forecast is above the threshold"

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.detection_kind = (
            f"alarm: forecast error above its threshold, smoothed over "
            f"{detector.config.smoothing_frames:g} frames"
        )
        self._forecast: Array | None = None
        self._seen = 0
        self._score = 0.0

    def update(self, frames: Array, outputs: Array) -> Decided:
        """Decide on frames float (T, D) with the forecasts made before each.

        Args:
            frames: What was forecast stands last.
            outputs: float (T, C), forecasts of the next frame.
        """
        config = self._detector.config
        wide = outputs.shape[1]
        first = np.zeros((1, wide)) if self._forecast is None else self._forecast
        forecasts = np.concatenate([first, outputs[:-1].astype(np.float64)])
        self._forecast = outputs[-1:].astype(np.float64)
        squares = np.square(frames[:, -wide:].astype(np.float64) - forecasts)
        raw = np.minimum(squares / self._detector.variance, config.score_limit).mean(axis=1)
        # Frame 0 has no forecast, and the first ones do not count.
        steps = np.arange(self._seen, self._seen + len(raw))
        raw[steps <= config.warmup_frames] = 0.0
        self._seen += len(raw)
        scores = self._smoothed(raw, float(np.exp(-1.0 / config.smoothing_frames)))
        threshold = self._detector.threshold
        alarms = (scores > threshold).astype(np.int64)
        return Decided((raw > threshold).astype(np.int64), alarms, scores)

    def _smoothed(self, raw: Array, keep: float) -> Array:
        """Return s[t] = keep * s[t - 1] + (1 - keep) * raw[t], a block at a time."""
        smooth = np.empty(len(raw))
        powers = keep ** np.arange(_BLOCK + 1)
        lower = np.tril(powers[np.abs(np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK)))])
        for start in range(0, len(raw), _BLOCK):
            block = raw[start : start + _BLOCK]
            count = len(block)
            smooth[start : start + count] = (1.0 - keep) * (lower[:count, :count] @ block) + powers[
                1 : count + 1
            ] * self._score
            self._score = float(smooth[start + count - 1])
        return smooth
