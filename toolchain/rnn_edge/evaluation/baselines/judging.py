"""Baselines with thresholds of their own, by the method that the model's comes from."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rnn_edge.evaluation.anomaly import Detector, DetectorConfig, ScoredRecording
from rnn_edge.evaluation.baselines.base import Baseline, BaselineKind, all_baselines
from rnn_edge.registry import lookup
from rnn_edge.types import Array
from rnn_edge.types.archive import consistent, load_archive, save_archive
from rnn_edge.types.frames import FrameSequence

FORMAT = "rnn-edge baselines 1"
COMPARED_NOW = (0,)
"""A residual is of the frame that it comes with, whatever it was made from."""


@dataclass(frozen=True, eq=False)
class JudgedBaseline:
    """A fitted baseline and its detector.

    Attributes:
        kind: Which one.
        baseline: Fitted.
        detector: Of its residuals.
    """

    kind: BaselineKind
    baseline: Baseline
    detector: Detector

    @classmethod
    def fit(
        cls,
        kind: BaselineKind,
        config: DetectorConfig,
        train: Sequence[FrameSequence],
        normal: Sequence[FrameSequence],
        frame_rate_hz: float,
    ) -> JudgedBaseline:
        """Fit a baseline and its threshold.

        Args:
            kind: Which one.
            config: As of the model; a baseline's residuals are judged by their variances.
            train: Normal recordings that the baseline is fitted on.
            normal: Normal recordings that the threshold comes from.
            frame_rate_hz: Frames per second.

        Raises:
            DataError: If there is too little for a threshold.
            MissingDependencyError: If fitting needs a package that is not installed.
        """
        baseline = kind.fit([each.frames for each in train])
        own = replace(config, score="variance")
        detector = Detector.fit(
            own, _nothing, _residuals(baseline, normal), COMPARED_NOW, frame_rate_hz
        )
        return cls(kind, baseline, detector)

    def score(self, recordings: Sequence[FrameSequence]) -> list[ScoredRecording]:
        """Return the scores of recordings, each from its start."""
        scores = self.detector.scores(_nothing, _residuals(self.baseline, recordings))
        return [
            ScoredRecording(r.sequence_id, s, r.anomalous)
            for r, s in zip(recordings, scores, strict=True)
        ]


def available_baselines() -> tuple[list[BaselineKind], list[str]]:
    """Return the kinds that can be fitted here, and for the others what each needs."""
    found, missing = [], []
    for kind in all_baselines().values():
        if kind.module and importlib.util.find_spec(kind.module) is None:
            missing.append(f"{kind.name}: pip install 'rnn-edge[{kind.extra}]'")
        else:
            found.append(kind)
    return found, missing


def save_baselines(judged: Iterable[JudgedBaseline], path: Path) -> None:
    """Write fitted baselines to an ``.npz``; the detectors need no whitening."""
    rows, arrays = [], []
    for k, each in enumerate(judged):
        detector = each.detector
        rows.append({"name": each.kind.name, "threshold": detector.threshold})
        own = {**each.baseline.arrays(), "detector_variance": detector.variance}
        arrays += [(f"{k} {name}", value) for name, value in own.items()]
    save_archive(path, {"format": FORMAT, "baselines": rows}, arrays)


def load_baselines(path: Path, config: DetectorConfig) -> list[JudgedBaseline]:
    """Read what `save_baselines` wrote.

    Args:
        path: The file.
        config: Of the model's detector, which those of the baselines share.

    Raises:
        BundleError: If the file holds no baselines.
    """
    meta, arrays = load_archive(path, FORMAT)
    found = []
    with consistent(path, FORMAT):
        for k, row in enumerate(meta["baselines"]):
            start = f"{k} "
            own = {n.removeprefix(start): v for n, v in arrays.items() if n.startswith(start)}
            variance = own.pop("detector_variance")
            kind = lookup(all_baselines(), row["name"], "baseline")
            own_config = replace(config, score="variance")
            detector = Detector(own_config, variance, row["threshold"], COMPARED_NOW)
            found.append(JudgedBaseline(kind, kind.restore(own), detector))
    return found


def _residuals(baseline: Baseline, recordings: Sequence[FrameSequence]) -> list[FrameSequence]:
    """Return recordings of residuals."""
    return [
        FrameSequence(
            each.sequence_id,
            baseline.residuals(each.frames),
            each.label,
            each.anomalous,
            each.split,
        )
        for each in recordings
    ]


def _nothing(frames: Array) -> Array:
    """Return zeros: residuals are compared with what they should be."""
    return np.zeros_like(frames)
