"""Reset policies on a bundle: weighed on its test part, and written into it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.drift.reset_trade import (
    Judged,
    MetricChange,
    ResetTrade,
    TaskMetric,
    TradeStreams,
    trade_off,
)
from rnn_edge.errors import BundleError, DataError
from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.anomaly import score_recordings
from rnn_edge.evaluation.anomaly_metrics import alarm_counts, f1_of
from rnn_edge.evaluation.paired import PairedDifference, compare_alarms, compare_clips
from rnn_edge.evaluation.precision import average_precision
from rnn_edge.pipeline.build import LEARNED, ORDER, SPEC, Progress, build_bundle
from rnn_edge.pipeline.bundle import STAGES, Bundle, bundle_detector
from rnn_edge.pipeline.measure import INT8, test_order
from rnn_edge.pipeline.replay import bundle_frames
from rnn_edge.pipeline.stages import StageStore
from rnn_edge.registry import known
from rnn_edge.spec.policy import with_reset
from rnn_edge.spec.reset import ResetSection
from rnn_edge.types import Array
from rnn_edge.types.frames import FrameSequence, FrameSet, padded
from rnn_edge.types.resets import MEASURE_OF_TASK, ResetPolicy

LANE_FRAMES = 4000
"""Frames of each stream, about: long enough for drift, short enough to run several at once."""
MOST_LANES = 16

EVERY = (100, 300, 1000, 3000)
"""Frames; no multiples of the 49 of a second of sound, so that resets meet every part of it."""
QUIET_FRAMES = (10, 50)
QUIET_SHARES = (0.2, 0.5)
"""Shares of the frames of the validation part that are quiet."""
SHIFTS = (5, 7, 9, 11)


@dataclass(frozen=True)
class ResetComparison:
    """Policies weighed on the data of a bundle.

    Attributes:
        facts: What they were weighed on.
        policy: What the bundle's spec says.
        trade: The table.
    """

    facts: Mapping[str, Any]
    policy: ResetPolicy
    trade: ResetTrade

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.facts, "current": self.policy.words(), **self.trade.to_json()}


def compare_reset_policies(
    bundle: Bundle,
    data: Path | None = None,
    steps: int | None = None,
    policies: Sequence[ResetPolicy] | None = None,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> ResetComparison:
    """Weigh reset policies by drift and by the task's own metric, on the test part.

    Clips or recordings follow each other on a few streams that are not reset but by the policy.

    Args:
        bundle: A finished bundle.
        data: Recordings in the layout of its spec; None for those of the build.
        steps: Frames at least, in whole clips or recordings; None for all of the test part.
        policies: What to weigh besides never; None for `usual_policies` and that of the spec.
        tell: Progress.

    Raises:
        DataError: If there is no test part, or nothing in it can be judged, or its classes are
            not those of the model.
    """
    spec = bundle.spec()
    frames, source = bundle_frames(bundle, data)
    sequences = _first(test_order(frames.part("test")), steps)
    if not sequences:
        raise DataError(
            f"Reset policies: the data of {bundle.path} has no test part; they are weighed on it.",
            "name other recordings with --data",
        )
    task = spec.model.task
    if task == "kws" and frames.labels != bundle.model().labels:
        raise DataError(
            f"Reset policies: the data has the classes {known(frames.labels)}; the bundle "
            f"{bundle.path} was built for {known(bundle.model().labels)}.",
            "name recordings of the same classes with --data",
        )
    current = spec.reset.resolved(task)
    parts = _lanes(sequences)
    metric: TaskMetric = (
        _ClipAccuracy(parts)
        if task == "kws"
        else _RecordingF1(bundle_detector(bundle, INT8), parts)
    )
    weighed = (*usual_policies(frames, task), current) if policies is None else policies
    x, lengths = padded([np.concatenate([s.frames for s in part]) for part in parts])
    wanted = np.arange(x.shape[1]) < lengths[:, None]
    if isinstance(metric, _ClipAccuracy):
        wanted = metric.ends(wanted.shape)
    trade = trade_off(
        bundle.float_model(),
        bundle.model(),
        weighed,
        TradeStreams(x, lengths, wanted),
        metric,
        tell,
    )
    facts = {
        "bundle": spec.model.name,
        "model_digest": bundle.model().digest(),
        "task": task,
        "source": source,
        "part": "test",
        "sequences": len(sequences),
    }
    return ResetComparison(facts, current, trade)


def usual_policies(frames: FrameSet, task: str) -> list[ResetPolicy]:
    """Return the policies that are weighed unless others are named.

    The levels of quiet frames are taken from the validation part, so that they say nothing of the
    test part.
    """
    found = [ResetPolicy("every", n) for n in EVERY]
    measure = MEASURE_OF_TASK[task]
    part = frames.part("validation") or frames.part("train")
    if part:
        x = np.concatenate([s.frames for s in part]).astype(np.float64)
        sizes = (x if measure == "mean" else np.abs(x)).mean(axis=1)
        levels = dict.fromkeys(
            math.ceil(float(np.quantile(sizes, share)) * 100.0) / 100.0 for share in QUIET_SHARES
        )
        found += [
            ResetPolicy("quiet", count, level, measure)
            for level in levels
            for count in QUIET_FRAMES
        ]
    return [*found, *(ResetPolicy("decay", shift=k) for k in SHIFTS)]


def choose_policy(bundle: Bundle, section: ResetSection, progress: Progress) -> Bundle:
    """Write a policy into a bundle: its spec, its exported C, and what proves and describes that.

    What the bundle has learned stays as it is.

    Args:
        bundle: A finished bundle with its stages.
        section: The policy.
        progress: Told (stage, step, total, metrics).

    Raises:
        BundleError: If the stages that the bundle learned are gone or from other inputs.
        SpecError: If the policy does not fit the task.
    """
    spec = with_reset(bundle.file(SPEC), section)
    store, stages = StageStore(bundle.path / STAGES), bundle.manifest.get("stages", {})
    last = str(bundle.manifest["until"])
    for name in ORDER[: ORDER.index(last) + 1]:
        if name in LEARNED and store.find(name, str(stages.get(name, ""))) is None:
            settings = section.model_dump(exclude_none=True).items()
            raise BundleError(
                f"Bundle {bundle.path} has lost what stage {name} made; expected it in "
                f"{bundle.path / STAGES}: without it the model would be trained anew.",
                f"copy the bundle with its folder {STAGES}, or build it again with "
                + " ".join(f"--set reset.{key}={value}" for key, value in settings),
            )
    return build_bundle(
        spec, bundle.path, progress=progress, until=last, again=True, may_learn=False
    )


def section_of(policy: ResetPolicy) -> ResetSection:
    """Return the section of a spec that says a policy."""
    return ResetSection.model_validate({"policy": policy.kind, **policy.parameters})


def _first(sequences: Sequence[FrameSequence], steps: int | None) -> list[FrameSequence]:
    """Return the first sequences with so many frames together."""
    if steps is None:
        return list(sequences)
    before = np.cumsum([0, *(len(s.frames) for s in sequences)])
    return [s for s, start in zip(sequences, before, strict=False) if start < steps]


def _lanes(sequences: Sequence[FrameSequence]) -> list[list[FrameSequence]]:
    """Return sequences divided into streams of about as many frames, in their order."""
    ends = np.cumsum([len(s.frames) for s in sequences])
    count = max(1, min(MOST_LANES, round(int(ends[-1]) / LANE_FRAMES), len(sequences)))
    # By the middle of a sequence: every stream gets the sequences that mostly fall into it.
    middles = ends - np.array([len(s.frames) for s in sequences]) / 2
    lane = np.minimum(middles * count // ends[-1], count - 1)
    parts = [[s for s, k in zip(sequences, lane, strict=True) if k == j] for j in range(count)]
    return [part for part in parts if part]


def _change(paired: PairedDifference) -> MetricChange:
    return MetricChange(paired.difference, paired.interval, paired.p_value)


class _ClipAccuracy:
    """Share of clips that are right at their last frame, one after the other without a reset."""

    name = "unreset accuracy"

    def __init__(self, parts: Sequence[Sequence[FrameSequence]]) -> None:
        self._ends = [np.cumsum([len(s.frames) for s in part]) - 1 for part in parts]
        self._truth = np.array([s.label for part in parts for s in part], np.int64)

    def ends(self, shape: tuple[int, int]) -> Array:
        """Return the last frames of clips, bool (S, T)."""
        flags = np.zeros(shape, np.bool_)
        for row, ends in zip(flags, self._ends, strict=True):
            row[ends] = True
        return flags

    def judge(self, outputs: Array) -> Judged:
        last = [y[ends] for y, ends in zip(outputs, self._ends, strict=True)]
        right = np.concatenate(last).argmax(axis=1) == self._truth
        return Judged(float(right.mean()), right)

    def compare(self, judged: Judged, never: Judged) -> MetricChange:
        return _change(compare_clips(judged.verdicts, never.verdicts))


class _RecordingF1:
    """F1 of the alarms of a bundle's detector, recordings one after the other without a reset.

    The detector begins anew with each recording, as it does in an evaluation: what it does not
    count there, it does not count here.
    """

    name = "unreset F1"

    def __init__(self, detector: Detector, parts: Sequence[Sequence[FrameSequence]]) -> None:
        self._detector, self._parts = detector, parts
        if not any(s.anomalous is not None and s.anomalous.any() for p in parts for s in p):
            raise DataError(
                "Reset policies: nothing in the test part is labelled as anomalous; they are "
                "weighed by the anomalies that are found.",
                "name labelled recordings with --data",
            )

    def judge(self, outputs: Array) -> Judged:
        recordings = [s for part in self._parts for s in part]
        pieces: list[Array] = []
        for y, part in zip(outputs, self._parts, strict=True):
            ends = np.cumsum([len(s.frames) for s in part])
            pieces += np.split(y[: ends[-1]], ends[:-1])
        forecasts, _ = padded(pieces)
        scored = score_recordings(self._detector, lambda _: forecasts, recordings)
        labelled = [r for r in scored if r.anomalous is not None]
        counts = alarm_counts(self._detector.logic, labelled)[:, :3]
        area = average_precision(
            np.concatenate([r.scores for r in labelled]),
            np.concatenate([r.anomalous for r in labelled if r.anomalous is not None]),
        )
        return Judged(f1_of(counts), counts, {"auc_pr": area})

    def compare(self, judged: Judged, never: Judged) -> MetricChange:
        return _change(compare_alarms(judged.verdicts, never.verdicts))
