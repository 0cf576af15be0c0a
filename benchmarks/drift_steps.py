"""What every step from a trained float model to the shipped integers does to drift and to the task.

python benchmarks/drift_steps.py BUNDLE --also "without pull=DIR" --steps 1000000

A row is a float model and the integers made of it, each against its own float run, never reset, in
the engines c-float and c. --also adds folders that hold float_model.npz and model.npz. The rows of
contrast are simulated in numpy, 40 lanes side by side, or run by the interpreter that is named.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.cli.scripts import explained_errors
from rnn_edge.drift.closed_loop import RunningDrift
from rnn_edge.drift.decisions import RunningDecisions
from rnn_edge.drift.mixed import MixedReference
from rnn_edge.drift.mixed_variant import Grid, Variant
from rnn_edge.drift.running import RunningError
from rnn_edge.evaluation import Detector, float_runner, integer_runner
from rnn_edge.evaluation.anomaly import score_recordings
from rnn_edge.evaluation.anomaly_metrics import anomaly_metrics
from rnn_edge.evaluation.keyword import evaluate_keywords
from rnn_edge.exporters.base import ExportSource, all_exporters
from rnn_edge.pipeline import training
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.drift_job import DriftJob, Subject, run_job
from rnn_edge.pipeline.formats import calibrated_spans
from rnn_edge.pipeline.measure import fit_detector, test_order
from rnn_edge.pipeline.replay import bundle_frames
from rnn_edge.quantize import calibrate, compensate, quantize_model
from rnn_edge.replay import concatenate
from rnn_edge.spec import ModelSpec, load_stream
from rnn_edge.streams import open_stream
from rnn_edge.types import FloatModel, QuantizedModel
from rnn_edge.types.drift import StreamDrift
from rnn_edge.types.frames import FrameSet

LANES = 40
LANE_CHUNK = 500


@dataclass(frozen=True, eq=False)
class Row:
    """A float model and its integers."""

    name: str
    float_model: FloatModel
    model: QuantizedModel


def rows_of(bundle: Bundle, frames: FrameSet, also: list[str]) -> list[Row]:
    """Return the steps: after training by both ways to round, those of --also, as shipped."""
    student = FloatModel.load(bundle.file(training.STUDENT))
    how = bundle.spec().quantize
    heard = [sequence.frames for sequence in frames.part("train")]
    length = how.calibration_steps
    streams = np.stack(
        [concatenate(heard, length, seed)[:length] for seed in range(how.calibration_streams)]
    )
    stats = calibrate(student, streams)
    nearest = quantize_model(student, stats, how.headroom_bits)
    rounded = compensate(student, streams)
    learned = quantize_model(student, stats, how.headroom_bits, None, rounded)
    rows = [
        Row("post-training, nearest", student, nearest),
        Row("post-training, compensated", student, learned),
    ]
    for each in also:
        name, _, place = each.partition("=")
        folder = Path(place)
        rows.append(
            Row(
                name,
                FloatModel.load(folder / training.FLOAT_MODEL),
                QuantizedModel.load(folder / training.MODEL),
            )
        )
    return [*rows, Row("as shipped", bundle.float_model(), bundle.model())]


def detector_of(spec: ModelSpec, frames: FrameSet, model: QuantizedModel) -> Detector | None:
    """Return the detector that a build would fit to a model."""
    if spec.model.task != "anomaly":
        return None
    return fit_detector(spec, frames, integer_runner(model))


def task_figures(spec: ModelSpec, frames: FrameSet, row: Row) -> str:
    """Return what the integers are worth on the test part, beside their float model."""
    both = {"int8": integer_runner(row.model), "float": float_runner(row.float_model)}
    parts = []
    for name, run in both.items():
        if spec.model.task == "kws":
            found = evaluate_keywords(run, test_order(frames.part("test")), frames.labels)
            shares = [found[key]["accuracy"] for key in ("unreset", "reset")]
            parts.append(f"{name} {shares[0]:.1%}/{shares[1]:.1%}")
        else:
            detector = fit_detector(spec, frames, run)
            scored = score_recordings(detector, run, frames.part("test"))
            found = anomaly_metrics(detector.logic, scored)
            parts.append(f"{name} F1 {found['f1']:.1%}")
    return ", ".join(parts)


def job_of(
    spec: ModelSpec,
    frames: FrameSet,
    row: Row,
    engines: tuple[str, str],
    steps: int,
    formats: tuple[str, ...] = ("c",),
) -> DriftJob:
    """Return the replay of a row: exported here, so that models without a bundle run too."""
    with tempfile.TemporaryDirectory() as folder:
        spans = None
        if "tflite-w8a8" in formats:
            also = spec.export.model_copy(update={"also": ("tflite-w8a8",)})
            asked = spec.model_copy(update={"export": also})
            spans = calibrated_spans(asked, frames, row.float_model)
        for name in formats:
            all_exporters()[name].export(
                ExportSource(row.float_model, row.model, spans=spans), Path(folder)
            )
        exports = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in Path(folder).rglob("*")
            if path.is_file()
        }
    subject = Subject(
        row.float_model,
        row.model,
        exports,
        detector_of(spec, frames, row.model),
        spec.drift.smoothing_frames,
        spec.drift.threshold,
    )
    stream = load_stream(spec.replay.stream, spec.model.task)
    part = replace(frames, sequences=frames.part(stream.split))
    return DriftJob(spec.replay.stream, subject, engines, stream, part, steps, False)


def simulated(job: DriftJob, variant: Variant | None, steps: int) -> StreamDrift:
    """Return the drift of a variant of the arithmetic, lanes side by side, none ever reset."""
    subject = job.subject
    length = steps // LANES
    streams = [
        open_stream(
            job.spec.model_copy(update={"seed": job.spec.seed + lane}), job.frames, steps=length
        ).chunks(LANE_CHUNK)
        for lane in range(LANES)
    ]
    exact = MixedReference(subject.float_model, subject.model, (), LANES)
    mixed = MixedReference(subject.float_model, subject.model, None, LANES, variant)
    sizes = {"y": subject.model.outputs, **subject.model.state_sizes}
    rules = [(subject.rule(), subject.rule()) for _ in range(LANES)]
    kinds = rules[0][0].frame_kind, rules[0][0].detection_kind
    found = [
        RunningDrift(
            "lanes",
            "",
            length,
            {name: RunningError(name, size) for name, size in sizes.items()},
            RunningDecisions(*kinds),
        )
        for _ in range(LANES)
    ]
    for chunks in zip(*streams, strict=True):
        x = np.stack([chunk.frames for chunk in chunks])
        values: dict[str, list[Any]] = {name: [] for name in sizes}
        for t in range(x.shape[1]):
            values["y"].append((exact.step(x[:, t]), mixed.step(x[:, t])))
            for name in subject.model.state_sizes:
                values[name].append((exact.state[name], mixed.state[name]))
        # [steps, side, lanes, units]
        stacked = {name: np.array(pairs) for name, pairs in values.items()}
        for lane, drift in enumerate(found):
            for name, value in stacked.items():
                drift.errors[name].add(drift.steps, value[:, 0, lane], value[:, 1, lane])
            y = stacked["y"]
            decided = [
                rule.update(x[lane], y[:, side, lane]) for side, rule in enumerate(rules[lane])
            ]
            drift.decisions.add(drift.steps, decided[0], decided[1])
            drift.steps += x.shape[1]
    for drift in found:
        drift.decisions.close()
    total = found[0]
    for drift in found[1:]:
        total.merge(drift)
    return total.result()


def figures(name: str, found: StreamDrift, engine: str, task: str) -> dict[str, Any]:
    """Return the figures of a row as plain values."""
    return {
        "name": name,
        "engine": engine,
        "steps": found.steps,
        "hidden_rms": found.hidden_rms.value,
        "hidden_low": found.hidden_rms.low,
        "hidden_high": found.hidden_rms.high,
        "frames": found.decisions.agreement.value,
        "detections": found.detections.agreement.value,
        "trend": str(found.tensor("h0").trend.verdict),
        "task": task,
    }


def contrasts(
    spec: ModelSpec, frames: FrameSet, row: Row, steps: int
) -> list[tuple[str, str, Callable[[], StreamDrift]]]:
    """Return coarser arithmetics for the same weights: name, engine, and how to measure each."""
    job = job_of(spec, frames, row, ("c-float", "c"), steps)
    states = [name for name in row.model.state_sizes if name.startswith("h")]
    narrow = Variant(grids={f"state {name}": Grid(8, 8) for name in states})
    rows: list[tuple[str, str, Callable[[], StreamDrift]]] = [
        (f"{row.name}, int8 state", "simulated", lambda: simulated(job, narrow, steps)),
    ]
    if all(layer.kind == "lstm" for layer in row.model.layers):
        fused = job_of(spec, frames, row, ("c-float", "litert-w8a8"), steps, ("c", "tflite-w8a8"))
        rows.append((f"{row.name}, w8a8", "litert-w8a8", lambda: run_job(fused).result()))
    return rows


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--also", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--contrast", action="store_true", help="an int8 state, and w8a8 of LSTMs")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    bundle = Bundle.open(arguments.bundle)
    spec = bundle.spec()
    frames, source = bundle_frames(bundle, None)
    found = []
    rows = rows_of(bundle, frames, arguments.also)
    if not arguments.json:
        print(f"{spec.model.name} on {source}, never reset, each against its own float run")
        print(
            f"{'step':<34} {'engine':<12} {'steps':>10} {'hidden rms':>11} {'frames':>9} "
            f"{'detections':>11}  trend      test part"
        )

    def show(row: dict[str, Any]) -> None:
        found.append(row)
        if not arguments.json:
            print(
                f"{row['name']:<34} {row['engine']:<12} {row['steps']:>10,} "
                f"{row['hidden_rms']:>11.5f} {row['frames']:>9.3%} {row['detections']:>11.3%}  "
                f"{row['trend']:<10} {row['task']}",
                flush=True,
            )

    for row in rows:
        measured = run_job(job_of(spec, frames, row, ("c-float", "c"), arguments.steps)).result()
        show(figures(row.name, measured, "c", task_figures(spec, frames, row)))
    if arguments.contrast:
        for row in (rows[0], rows[-1]):
            for name, engine, measure in contrasts(spec, frames, row, arguments.steps):
                show(figures(name, measure(), engine, ""))
    if arguments.json:
        print(json.dumps({"bundle": spec.model.name, "source": source, "rows": found}))


if __name__ == "__main__":
    with explained_errors():
        main()
