"""Decisions on a stream that goes on: frame by frame, and after smoothing and threshold.

Keywords: the probabilities are averaged over the last frames; a detection is a keyword whose mean
probability reaches the threshold. Anomalies: the score of `Detector`, whose threshold it is.

Source:
    Chen, Parada and Heigold, "Small-footprint keyword spotting using deep neural networks" (2014):
    posterior smoothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from rnn_edge.evaluation.anomaly import Detector, first_scored
from rnn_edge.evaluation.residuals import left_out_residuals, residuals
from rnn_edge.reference.decisions import NO_KEYWORDS
from rnn_edge.types import Array, HeadKind
from rnn_edge.types.decisions import NOTHING, Decided
from rnn_edge.types.offsets import lag_of

_BLOCK = 256

_FORGOTTEN = 5.0
"""Time constants of the smoothing after which less than a hundredth of a score is left."""


class KeywordRule:
    """Decides on the outputs of a keyword model.

    Args:
        labels: Names of the outputs.
        head_kind: "softmax" where the outputs are probabilities already.
        smoothing_frames: Frames that are averaged.
        threshold: Least mean probability of a detection.
    """

    frame_kind = "label with the largest output"
    alarm_threshold: float | None = None
    settling_frames = 0

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

    def step(self, frame: Array, output: Array) -> tuple[int, int, float]:
        """Decide on one frame: the same as `update`, but for rounding, which no block changes.

        Args:
            frame: Does not matter.
            output: float (C,), in real units.

        Returns:
            The decision by itself, the detection and its score, as in `Decided`.
        """
        del frame
        values = output.astype(np.float64)
        if not self._is_probability:
            values = np.exp(values - values.max())
            values /= values.sum()
        window = self._before
        window[:-1] = window[1:]
        window[-1] = values
        smoothed = window.sum(axis=0) / len(window) * self._is_keyword
        best = int(smoothed.argmax())
        score = float(smoothed[best])
        return int(output.argmax()), best + 1 if score >= self._threshold else NOTHING, score

    def memory(self) -> dict[str, Array]:
        """Return what is remembered of earlier frames."""
        return {"window": self._before.copy()}

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is of another rule.
        """
        window = _like(memory, "window", self._before.shape)
        self._before = window.astype(np.float64)


class AlarmRule:
    """Decides on the outputs of an anomaly model.

    A detection is an alarm that is on, with the least length and the release of the detector.

    Args:
        detector: As fitted; its warm-up is that of the stream, which starts once.
    """

    frame_kind = "whether the error of one frame is above the threshold"

    def __init__(self, detector: Detector) -> None:
        config = detector.config
        self._detector = detector
        self.detection_kind = (
            f"alarm: error above its threshold, smoothed over {config.smoothing_frames:g} frames"
        )
        if config.least_frames > 1:
            self.detection_kind += f", {config.least_frames} times on end"
        self.alarm_threshold: float | None = detector.threshold
        self._lag = lag_of(detector.offsets)
        self.settling_frames = max(config.warmup_frames, self._lag - 1) + math.ceil(
            _FORGOTTEN * config.smoothing_frames
        )
        self._keep = math.exp(-1.0 / config.smoothing_frames)
        self._release = detector.threshold * config.release
        self._latch = detector.logic.latch()
        self._wide = len(detector.variance) // len(detector.offsets)
        self._seen, self._score = 0, 0.0
        self._begin()

    def restart(self) -> None:
        """Begin anew behind a gap: nothing is remembered but an alarm that is on."""
        self._begin()
        self._latch.settle()

    def update(self, frames: Array, outputs: Array, left_out: Array | None = None) -> Decided:
        """Decide on frames float (T, F) and what the model gave for them.

        Args:
            frames: What the outputs stand for stands last.
            outputs: float (T, R).
            left_out: bool (T, F), samples of the frames that do not count; None for none.
        """
        raw = self._raw(frames, outputs, left_out)
        scores = self._smoothed(raw)
        latch, threshold = self._latch, self._detector.threshold
        pairs = zip((scores > threshold).tolist(), (scores <= self._release).tolist(), strict=True)
        alarms = [int(latch.step(is_above=a, is_released=r)) for a, r in pairs]
        singles = (raw > threshold).astype(np.int64)
        return Decided(singles, np.array(alarms, np.int64), scores)

    def step(
        self, frame: Array, output: Array, left_out: Array | None = None
    ) -> tuple[int, int, float]:
        """Decide on one frame: the same as `update`, but for rounding, which no block changes.

        Args:
            frame: float (F,); what the outputs stand for stands last.
            output: float (R,).
            left_out: bool (F,), samples of the frame that do not count; None for none.

        Returns:
            The decision by itself, whether the alarm is on and the score, as in `Decided`.
        """
        omitted = None if left_out is None else left_out[None]
        raw = float(self._raw(frame[None], output[None], omitted)[0])
        self._score = score = self._keep * self._score + (1.0 - self._keep) * raw
        threshold = self._detector.threshold
        is_on = self._latch.step(is_above=score > threshold, is_released=score <= self._release)
        return int(raw > threshold), int(is_on), score

    def _begin(self) -> None:
        """Forget everything but the alarm."""
        self._frames = np.zeros((0, self._wide))
        self._left_out = np.zeros((0, self._wide), np.bool_)
        self._outputs = np.zeros((0, len(self._detector.variance)))
        self._seen, self._score = 0, 0.0

    def _raw(self, frames: Array, outputs: Array, left_out: Array | None) -> Array:
        """Return the scores of frames by themselves, and remember what later ones need."""
        detector, before = self._detector, len(self._frames)
        newest = frames[:, frames.shape[1] - self._wide :].astype(np.float64)
        omitted = np.zeros(newest.shape, np.bool_)
        if left_out is not None:
            omitted = left_out[:, left_out.shape[1] - self._wide :]
        x = np.concatenate([self._frames, newest])
        y = np.concatenate([self._outputs, outputs.astype(np.float64)])
        out = np.concatenate([self._left_out, omitted])
        errors = residuals(x, y, detector.offsets)[before:]
        uncounted = left_out_residuals(out, detector.offsets)[before:] if out.any() else None
        raw = detector.raw(errors, uncounted)
        steps = np.arange(self._seen, self._seen + len(raw))
        raw[steps < first_scored(detector.config, detector.offsets)] = 0.0
        self._seen += len(raw)
        kept = max(0, len(x) - self._lag)
        self._frames, self._outputs, self._left_out = x[kept:], y[kept:], out[kept:]
        return raw

    def _smoothed(self, raw: Array) -> Array:
        """Return s[t] = keep * s[t - 1] + (1 - keep) * raw[t], a block at a time."""
        keep, smooth = self._keep, np.empty(len(raw))
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

    def memory(self) -> dict[str, Array]:
        """Return what is remembered of earlier frames."""
        latch = self._latch
        return {
            "frames": self._frames.copy(),
            "outputs": self._outputs.copy(),
            "left_out": self._left_out.copy(),
            "seen": np.array(self._seen),
            "score": np.array(self._score),
            "alarm": np.array([int(latch.is_on), latch.loud, latch.quiet]),
        }

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned.

        Raises:
            ValueError: If it is of another rule.
        """
        seen, score = _like(memory, "seen", ()), _like(memory, "score", ())
        rows = min(int(seen), self._lag)
        wide = len(self._detector.variance)
        frames = _like(memory, "frames", (rows, self._wide)).astype(np.float64)
        left_out = _like(memory, "left_out", (rows, self._wide)).astype(np.bool_)
        outputs = _like(memory, "outputs", (rows, wide)).astype(np.float64)
        is_on, loud, quiet = (int(each) for each in _like(memory, "alarm", (3,)))
        latch = self._latch
        if not (0 <= loud <= latch.least_frames and 0 <= quiet < latch.release_frames):
            raise ValueError("memory of another rule: alarm")
        latch.is_on, latch.loud, latch.quiet = bool(is_on), loud, quiet
        self._frames, self._outputs, self._left_out = frames, outputs, left_out
        self._seen, self._score = int(seen), float(score)


def _like(memory: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    """Return what is remembered by a name, if it has the shape."""
    found = memory.get(name)
    if found is None or found.shape != shape:
        what = "nothing" if found is None else f"{found.shape}"
        raise ValueError(f"memory of another rule: {name} is {what}; expected {shape}")
    return np.array(found)
