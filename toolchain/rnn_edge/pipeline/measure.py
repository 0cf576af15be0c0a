"""What every model of a build is worth on the test part, and how it drifts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.evaluation import Detector, Runner, float_runner, integer_runner
from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.anomaly import ScoredRecording
from rnn_edge.evaluation.anomaly_metrics import alarm_counts, anomaly_metrics
from rnn_edge.evaluation.baselines.comparison import compare_baselines
from rnn_edge.evaluation.baselines.judging import JudgedBaseline, available_baselines
from rnn_edge.evaluation.commissioning import score_commissioned
from rnn_edge.evaluation.keyword import classify_clips, keyword_metrics, speakers_of
from rnn_edge.pipeline import training
from rnn_edge.pipeline.comparisons import Verdicts, compare_steps
from rnn_edge.pipeline.proof import float_trace, integer_trace
from rnn_edge.quantize import replayed_ranges
from rnn_edge.replay import measure_drift
from rnn_edge.spec import ModelSpec
from rnn_edge.types import Array, FloatModel, QuantizedModel, Trace
from rnn_edge.types.archive import load_archive
from rnn_edge.types.frames import FrameSequence, FrameSet

ORDER_SEED = 7
"""Order of the test clips where the state is never reset; neighbours are of mixed classes."""
PLOTTED_POINTS = 1500
"""Longest score curve in a report."""
INT8, FLOAT = "int8", "float"


def measure_models(
    spec: ModelSpec,
    frames: FrameSet,
    stream: Array,
    folders: Mapping[str, Path],
    judged: Sequence[JudgedBaseline],
    tell: Callable[[int, int], None],
) -> dict[str, Any]:
    """Return the measured parts of a report.

    They are "models", "baselines" (None for keywords), "comparisons", "drift", "scores",
    "is_commissioned", "tails" and "replayed_ranges".

    Args:
        spec: The spec.
        frames: All sequences.
        stream: float32 (T, D), for the drift and the ranges.
        folders: Of the finished stages.
        judged: The baselines of a model of anomalies.
        tell: Progress.
    """
    student = FloatModel.load(folders["student"] / training.STUDENT)
    alone = FloatModel.load(folders["baseline"] / training.STUDENT)
    tuned = FloatModel.load(folders["quantize"] / training.FLOAT_MODEL)
    early = QuantizedModel.load(folders["quantize"] / training.AFTER_TRAINING)
    final = QuantizedModel.load(folders["quantize"] / training.MODEL)
    runners = {
        FLOAT: float_runner(student),
        "float, no teacher": float_runner(alone),
        "float, fine-tuned": float_runner(tuned),
        "int8 after training": integer_runner(early),
        INT8: integer_runner(final),
    }
    total = len(runners) + 2
    models: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    comparisons: list[dict[str, Any]] = []
    detectors: dict[str, Detector] = {}
    baselines: dict[str, Any] | None = None
    if frames.part("test"):
        is_keywords = spec.model.task == "kws"
        judge = _KeywordJudge(frames) if is_keywords else _AnomalyJudge(spec, frames)
        models.append({"name": "teacher", "metrics": judge.teacher(folders)})
        verdicts: dict[str, Verdicts] = {}
        for k, (name, run) in enumerate(runners.items(), start=1):
            tell(k, total)
            metrics, verdicts[name] = judge.student(run)
            models.append({"name": name, "metrics": metrics})
        comparisons = compare_steps(verdicts)
        if spec.model.task == "anomaly":
            detectors = {name: fit_detector(spec, frames, runners[name]) for name in (FLOAT, INT8)}
            scores = _plotted(frames, runners, detectors)
            baselines = compare_baselines(
                judged, frames.part("test"), models[-1]["metrics"], frames.frame_rate_hz
            )
    tell(total - 1, total)
    of_final = integer_trace(final, stream)
    drift = _drifts(student, tuned, early, final, stream, of_final)
    ranges = replayed_ranges(final, stream[None], of_final.states)
    return {
        "models": models,
        "baselines": baselines,
        "comparisons": comparisons,
        "drift": drift,
        "scores": scores,
        "is_commissioned": any(s.commissioning for s in frames.part("test")),
        "tails": {
            name: None if each.tail is None else asdict(each.tail)
            for name, each in detectors.items()
        },
        "replayed_ranges": [row.to_json() for row in ranges],
    }


def _drifts(
    student: FloatModel,
    tuned: FloatModel,
    early: QuantizedModel,
    final: QuantizedModel,
    stream: Array,
    of_final: Trace,
) -> list[dict[str, Any]]:
    """Return the drift of each quantized model against its own float run, and the student's."""
    of_student = float_trace(student, stream)
    pairs = (
        ("int8 after training", early, of_student, integer_trace(early, stream)),
        (INT8, final, float_trace(tuned, stream), of_final),
        ("int8 against the student", final, of_student, of_final),
    )
    return [
        {
            "name": name,
            **measure_drift(
                expected, actual, model.state_exponents, model.output_exponent
            ).to_json(),
        }
        for name, model, expected, actual in pairs
    ]


def test_order(clips: Sequence[FrameSequence]) -> list[FrameSequence]:
    """Return clips in the order in which they are heard without a reset."""
    order = np.random.Generator(np.random.PCG64(ORDER_SEED)).permutation(len(clips))
    return [clips[k] for k in order]


def fit_detectors(spec: ModelSpec, frames: FrameSet, folder: Path) -> dict[str, Detector]:
    """Return the detectors that a bundle carries: of the float and of the quantized model.

    Args:
        spec: The spec of an anomaly model.
        frames: All sequences; the validation part is used.
        folder: Of the stage that quantized.
    """
    runners = {
        FLOAT: float_runner(FloatModel.load(folder / training.FLOAT_MODEL)),
        INT8: integer_runner(QuantizedModel.load(folder / training.MODEL)),
    }
    return {name: fit_detector(spec, frames, run) for name, run in runners.items()}


def fit_detector(spec: ModelSpec, frames: FrameSet, run: Runner) -> Detector:
    """Return the detector of one model, from the validation part."""
    return Detector.fit(
        training.detector_config(spec),
        run,
        frames.part("validation"),
        spec.model.offsets,
        frames.frame_rate_hz,
    )


def fit_baselines(spec: ModelSpec, frames: FrameSet) -> list[JudgedBaseline]:
    """Return the baselines that a model is compared with, as far as they can be fitted here."""
    config, rate = training.detector_config(spec), frames.frame_rate_hz
    train, normal = frames.part("train"), frames.part("validation")
    kinds, _ = available_baselines()
    fitted = []
    for kind in kinds:
        # One that has too few peaks for a threshold is named by the comparison, and no reason
        # to end the build of a model that has enough.
        with contextlib.suppress(DataError):
            fitted.append(JudgedBaseline.fit(kind, config, train, normal, rate))
    return fitted


class _KeywordJudge:
    """Measures keyword models."""

    def __init__(self, frames: FrameSet) -> None:
        self._clips = frames.part("test")
        self._labels = frames.labels

    def student(self, run: Runner) -> tuple[dict[str, Any], Verdicts]:
        """Return metrics reset and unreset, and which clips are right."""
        clips = test_order(self._clips)
        truth = np.array([clip.label for clip in clips], np.int64)
        decided = {
            name: classify_clips(run, clips, reset=reset)
            for name, reset in (("reset", True), ("unreset", False))
        }
        who = speakers_of(clips)
        metrics = {
            n: keyword_metrics(truth, found, self._labels, who) for n, found in decided.items()
        }
        return metrics, {name: decided[name] == truth for name in ("unreset", "reset")}

    def teacher(self, folders: Mapping[str, Path]) -> dict[str, Any]:
        """Return metrics reset; a bidirectional teacher has no stream."""
        logits = _teacher_outputs(folders)["test"]
        truth = np.array([clip.label for clip in self._clips], np.int64)
        who = speakers_of(self._clips)
        return {"reset": keyword_metrics(truth, logits.argmax(axis=1), self._labels, who)}


class _AnomalyJudge:
    """Measures forecasters through the detector that is fitted to each."""

    def __init__(self, spec: ModelSpec, frames: FrameSet) -> None:
        self._spec, self._frames = spec, frames
        self._test = frames.part("test")

    def student(self, run: Runner) -> tuple[dict[str, Any], Verdicts]:
        """Return metrics with a threshold from validation material, and alarms by recording."""
        detector = fit_detector(self._spec, self._frames, run)
        logic, scored = score_commissioned(detector, run, self._test, self._frames.frame_rate_hz)
        error = float(np.sqrt(detector.variance.mean()))
        metrics = {
            **anomaly_metrics(logic, scored, self._frames.frame_rate_hz),
            "forecast_rmse": error,
        }
        counts = alarm_counts(logic, scored)[:, :3]
        # Rightly alarmed and missed frames: without any there is nothing to find.
        return metrics, {"f1": counts} if counts[:, [0, 2]].any() else {}

    def teacher(self, folders: Mapping[str, Path]) -> dict[str, Any]:
        """Return the same for the teacher's stored forecasts."""
        stored = _teacher_outputs(folders)
        count = {len(stored[name]): stored[name] for name in ("validation", "test")}
        if len(count) == 1:  # as many recordings in both: told apart by their order of use
            queue = [stored["validation"], stored["test"]]
            return self.student(lambda _: queue.pop(0))[0]
        return self.student(lambda x: count[len(x)])[0]


def _teacher_outputs(folders: Mapping[str, Path]) -> dict[str, Array]:
    return load_archive(folders["teacher"] / training.TEACHER_ON_TEST, "rnn-edge outputs 1")[1]


def _plotted(
    frames: FrameSet, runners: Mapping[str, Runner], detectors: Mapping[str, Detector]
) -> list[dict[str, Any]]:
    """Return the score curves of float and int8, thinned out for a plot."""
    curves: dict[str, list[ScoredRecording]] = {}
    logics: dict[str, AlarmLogic] = {}
    for name, detector in detectors.items():
        logics[name], curves[name] = score_commissioned(
            detector, runners[name], frames.part("test"), frames.frame_rate_hz
        )
    thresholds = {name: logic.threshold for name, logic in logics.items()}
    rows = []
    for of_float, of_int8 in zip(curves[FLOAT], curves[INT8], strict=True):
        every = max(1, len(of_float.scores) // PLOTTED_POINTS)
        rows.append(
            {
                "recording": of_float.recording_id,
                "thresholds": thresholds,
                "sample_rate_hz": frames.frame_rate_hz / every,
                "float": [round(float(v), 6) for v in of_float.scores[::every]],
                "int8": [round(float(v), 6) for v in of_int8.scores[::every]],
                "alarms": {
                    name: [int(v) for v in logics[name].alarms(curve.scores)[::every]]
                    for name, curve in ((FLOAT, of_float), (INT8, of_int8))
                },
                "anomalous": None
                if of_float.anomalous is None
                else [int(v) for v in of_float.anomalous[::every]],
            }
        )
    return rows
