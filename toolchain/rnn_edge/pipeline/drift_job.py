"""One stream through two engines, as a job that can run in another process or on another machine.

A job carries what it needs: the models, the exported files and the frames. No disk is shared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.drift.closed_loop import RunningDrift, Side, replay_pair
from rnn_edge.drift.decisions import DecisionRule
from rnn_edge.drift.details import StepDetails
from rnn_edge.engines.base import Engine, EngineKind, EngineSource, all_engines
from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.detections import AlarmRule, KeywordRule
from rnn_edge.spec import StreamSpec
from rnn_edge.streams import ModelPair, open_stream
from rnn_edge.types import FloatModel, QuantizedModel
from rnn_edge.types.frames import FrameSet

Tell = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Subject:
    """What is replayed.

    Attributes:
        float_model: The float model of the bundle.
        model: The quantized model.
        exports: Exported files by path relative to the folder of the exports.
        detector: Of an anomaly model; None for keywords.
        smoothing_frames: Of keyword detections.
        threshold: Of keyword detections.
    """

    float_model: FloatModel
    model: QuantizedModel
    exports: Mapping[str, bytes]
    detector: Detector | None
    smoothing_frames: int
    threshold: float

    def rule(self) -> DecisionRule:
        """Return a rule at the start of a stream."""
        if self.detector is not None:
            return AlarmRule(self.detector)
        return KeywordRule(
            self.model.labels, self.model.head_kind, self.smoothing_frames, self.threshold
        )

    def source(self, folder: Path) -> EngineSource:
        """Return what engines are opened from; the exported files are written to a folder."""
        for name, content in self.exports.items():
            path = folder / "exports" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return EngineSource(self.float_model, self.model, folder / "exports", folder / "work")


@dataclass(frozen=True, eq=False)
class DriftJob:
    """A stream to be replayed.

    Attributes:
        name: Of the stream, for reports.
        subject: What is replayed.
        engines: Names of the reference and of the engine.
        spec: Of the stream.
        frames: What the stream is made of.
        steps: Its length, or None for that of the spec.
        is_detailed: Whether single steps are looked into.
    """

    name: str
    subject: Subject
    engines: tuple[str, str]
    spec: StreamSpec
    frames: FrameSet
    steps: int | None
    is_detailed: bool


def run_job(job: DriftJob, tell: Tell = lambda done, total: None) -> RunningDrift:
    """Replay a stream.

    Args:
        job: What to replay.
        tell: Told how many steps are done, of how many.

    Raises:
        RnnEdgeError: If the stream cannot be made, or an engine cannot be had or fails.
    """
    subject = job.subject
    known = all_engines()
    kinds = [known[name] for name in job.engines]
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as folder:
        source = subject.source(Path(folder))
        with kinds[0].open(source) as reference, kinds[1].open(source) as engine:
            stream = open_stream(
                job.spec,
                job.frames,
                steps=job.steps,
                models=ModelPair(subject.float_model, subject.model),
                name=job.name,
            )
            details = None
            if job.is_detailed and not kinds[0].is_integer and kinds[1].is_integer:
                details = StepDetails(subject.float_model, subject.model)
            return replay_pair(
                stream,
                _side(kinds[0], reference, subject.model),
                _side(kinds[1], engine, subject.model),
                (subject.rule(), subject.rule()),
                details,
                tell,
            )


def _side(kind: EngineKind, engine: Engine, model: QuantizedModel) -> Side:
    return Side(kind.name, engine, model if kind.is_integer else None)
