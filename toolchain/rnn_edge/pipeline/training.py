"""The stages that find weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnn_edge.evaluation import DetectorConfig
from rnn_edge.pipeline.embedded_clips import EmbeddedClips, ended_frames
from rnn_edge.pipeline.files import write_json
from rnn_edge.pipeline.training_sets import training_set
from rnn_edge.quantize import calibrate, compensate, model_ranges, quantize_model
from rnn_edge.quantize.rounding import INPUT_EXPONENT, finest_cells
from rnn_edge.replay import concatenate
from rnn_edge.spec import ChannelFeatures, LogMelFeatures, ModelSpec
from rnn_edge.train.framework import load_framework
from rnn_edge.train.sequences import TrainingSet
from rnn_edge.types import Array, FloatModel, QuantizedModel
from rnn_edge.types.archive import save_archive
from rnn_edge.types.calibration import CalibrationStats
from rnn_edge.types.frames import FrameSet, padded

if TYPE_CHECKING:
    from rnn_edge.train.carried import HeardEmbeddings

TEACHER = "teacher.npz"
SOFT = "soft.npy"
TEACHER_ON_TEST = "teacher_on_test.npz"
STUDENT = "student.npz"
FLOAT_MODEL = "float_model.npz"
MODEL = "model.npz"
AFTER_TRAINING = "model_after_training.npz"
QUANTIZATION = "quantization.json"
CURVES = "curves.json"

Progress = Callable[[str, int, int, Mapping[str, float]], None]


def sequence_frames(spec: ModelSpec) -> int:
    """Return the frames of one training sequence of a recording; clips are taken whole."""
    return spec.features.sequence_frames if isinstance(spec.features, ChannelFeatures) else 0


def make_teacher(
    spec: ModelSpec, frames: FrameSet, data_folder: Path, folder: Path, progress: Progress
) -> None:
    """Train the teacher; write it, its targets for the training part and what it says of tests."""
    load_framework()
    if spec.teacher.kind == "embedding":
        _make_embedded_teacher(spec, frames, data_folder, folder, progress)
        return
    from rnn_edge.train.teacher import TeacherConfig, train_teacher

    data = _set(spec, frames, data_folder)
    result = train_teacher(
        TeacherConfig(**spec.teacher.model_dump()), data, spec.seed, _renamed(progress, "teacher")
    )
    _save_teacher(spec, folder, result.arrays())
    part = data.train
    np.save(folder / SOFT, result.soft_targets(part.x, part.lengths, part.successor))
    heard = {"test": frames.part("test")}
    if spec.model.task == "anomaly":
        heard["validation"] = frames.part("validation")
    outputs: list[tuple[str, Array]] = []
    for name, sequences in heard.items():
        if sequences:
            x, lengths = padded([s.frames for s in sequences])
            outputs.append((name, result.soft_targets(x, lengths)))
    save_archive(folder / TEACHER_ON_TEST, {"format": "rnn-edge outputs 1"}, outputs)
    parameters = sum(int(np.prod(weight.shape)) for weight in result.weights)
    _write_curves(folder, "teacher", data, result, parameters)


def _make_embedded_teacher(
    spec: ModelSpec, frames: FrameSet, data_folder: Path, folder: Path, progress: Progress
) -> None:
    """Do the same with heads on a frozen embedding."""
    from rnn_edge.train.embedded import EmbeddedSet, folds_of, train_embedded
    from rnn_edge.train.teacher import TeacherConfig

    data, clips = _set(spec, frames, data_folder), EmbeddedClips.load(data_folder)
    config = TeacherConfig(**spec.teacher.model_dump())
    fold = folds_of(clips.groups, config.folds, spec.seed)
    result = train_embedded(
        config,
        EmbeddedSet(clips.train, clips.train_counts, data.train.target),
        fold,
        EmbeddedSet(clips.validation, clips.validation_counts, data.validation.target),
        data.outputs,
        spec.seed,
        _renamed(progress, "teacher"),
    )
    _save_teacher(spec, folder, result.arrays())
    soft = result.soft_targets(clips.train, clips.train_counts, fold, clips.clips)
    np.save(folder / SOFT, soft)
    has_test = len(clips.test) > 0
    outputs = [("test", result.logits(clips.test, clips.test_counts))] if has_test else []
    save_archive(folder / TEACHER_ON_TEST, {"format": "rnn-edge outputs 1"}, outputs)
    parameters = sum(int(np.prod(weight.shape)) for weight in result.weights)
    _write_curves(folder, "teacher", data, result, parameters)


def _save_teacher(spec: ModelSpec, folder: Path, arrays: Mapping[str, Array]) -> None:
    save_archive(
        folder / TEACHER,
        {"format": "rnn-edge teacher 1", "teacher": spec.teacher.model_dump()},
        arrays.items(),
    )


def make_student(
    spec: ModelSpec,
    frames: FrameSet,
    data_folder: Path,
    teacher_folder: Path | None,
    folder: Path,
    progress: Progress,
) -> None:
    """Train the student with its teacher, or without one; write weights and curves."""
    load_framework()
    from rnn_edge.train.student import StudentConfig, train_student

    data = _set(spec, frames, data_folder)
    soft = None if teacher_folder is None else np.load(teacher_folder / SOFT)
    stage = "baseline" if teacher_folder is None else "student"
    result = train_student(
        StudentConfig(
            kinds=spec.model.cells,
            hidden=spec.model.hidden,
            local=spec.model.locals,
            **spec.student.model_dump(),
        ),
        data,
        soft,
        spec.seed,
        _renamed(progress, stage),
        embeddings=None if teacher_folder is None else _embeddings(spec, data, data_folder),
        name=spec.model.name,
        stage=stage,
    )
    # Training is on what the head gives; what becomes of it has no weights.
    replace(result.model, head_kind=spec.model.head).save(folder / STUDENT)
    name = "student" if teacher_folder else "student without teacher"
    _write_curves(folder, name, data, result, _parameters(result.model))


def _embeddings(spec: ModelSpec, data: TrainingSet, folder: Path) -> HeardEmbeddings | None:
    """Return what the student is to tell of the teacher's embedding besides its answers."""
    from rnn_edge.train.carried import HeardEmbeddings
    from rnn_edge.train.embedded import spread

    features = spec.features
    if spec.student.embedding_weight == 0.0 or not isinstance(features, LogMelFeatures):
        return None
    clips = EmbeddedClips.load(folder)
    x = clips.train
    hop = round(features.sample_rate_hz * features.hop_ms / 1000.0)
    frames = ended_frames(x.shape[1], hop, features.window_samples, data.train.x.shape[1])
    x = x[:, : len(frames)]
    return HeardEmbeddings(x, frames, *spread(x, clips.train_counts))


def make_quantized(
    spec: ModelSpec,
    frames: FrameSet,
    data_folder: Path,
    teacher_folder: Path,
    student_folder: Path,
    folder: Path,
    progress: Progress,
) -> None:
    """Quantize the student after training, fine-tune it on its integer arithmetic, write both."""
    load_framework()
    from rnn_edge.train.qat import QatConfig, finetune_quantized

    data = _set(spec, frames, data_folder)
    student = FloatModel.load(student_folder / STUDENT)
    streams = _calibration_streams(spec, frames)
    stats = calibrate(student, streams)
    after_training = round_model(spec, student, stats, streams)
    after_training.save(folder / AFTER_TRAINING)
    cells = [layer.cell_exponent for layer in after_training.layers]
    result = finetune_quantized(
        QatConfig(**spec.qat.model_dump()),
        student,
        data,
        np.load(teacher_folder / SOFT),
        INPUT_EXPONENT,
        cells,
        spec.seed,
        _renamed(progress, "quantize"),
        spec.model.locals,
    )
    tuned_stats = calibrate(result.model, streams)
    # Fine-tuning draws cells together. They never get a coarser scale than they were tuned with,
    # and a finer one where their range has come to allow it: half a scale is half the drift.
    finer = finest_cells(cells, tuned_stats, spec.quantize.headroom_bits)
    tuned = round_model(spec, result.model, tuned_stats, streams, finer)
    ranges = model_ranges(tuned, streams)
    result.model.save(folder / FLOAT_MODEL)
    tuned.save(folder / MODEL)
    write_json(
        folder / QUANTIZATION,
        {"calibration": tuned_stats.to_json(), "ranges": ranges.to_json()},
    )
    _write_curves(folder, "quantization-aware", data, result, _parameters(result.model))


def round_model(
    spec: ModelSpec,
    model: FloatModel,
    stats: CalibrationStats,
    streams: Array,
    cell_exponents: Sequence[int | None] | None = None,
) -> QuantizedModel:
    """Quantize a model as a spec says.

    Args:
        spec: The spec.
        model: The model; weights on the int8 grid stay where they are.
        stats: Of the calibration streams.
        streams: float32 (B, T, D), the calibration streams.
        cell_exponents: As in `quantize_model`.
    """
    rounded = compensate(model, streams) if spec.quantize.rounding == "compensated" else None
    return quantize_model(model, stats, spec.quantize.headroom_bits, cell_exponents, rounded)


def detector_config(spec: ModelSpec) -> DetectorConfig:
    """Return the detector that a spec describes."""
    return DetectorConfig(**spec.detector.model_dump()) if spec.detector else DetectorConfig()


def _calibration_streams(spec: ModelSpec, frames: FrameSet) -> Array:
    """Return float32 (B, T, D): training sequences one after the other, never reset."""
    sequences = [s.frames for s in frames.part("train")]
    steps = spec.quantize.calibration_steps
    streams = [
        concatenate(sequences, steps, seed)[:steps]
        for seed in range(spec.quantize.calibration_streams)
    ]
    return np.stack(streams)


def _set(spec: ModelSpec, frames: FrameSet, folder: Path) -> TrainingSet:
    return training_set(spec.model.task, frames, folder, sequence_frames(spec), spec.model.offsets)


def _parameters(model: FloatModel) -> int:
    layers = sum(w.w_x.size + w.w_h.size + w.b_x.size + w.b_h.size for w in model.layers)
    return int(layers + model.head.w.size + model.head.b.size)


def _renamed(progress: Progress, name: str) -> Progress:
    """Report under the name of our stage."""
    return lambda _, step, total, metrics: progress(name, step, total, metrics)


def _write_curves(
    folder: Path,
    name: str,
    data: TrainingSet,
    result: Any,  # noqa: ANN401 - teacher, student and fine-tuned results have these in common
    parameters: int,
) -> None:
    curves = {
        curve: [[int(step), float(value)] for step, value in zip(*points, strict=True)]
        for curve, points in result.curves.items()
    }
    metric = "validation accuracy" if data.task == "kws" else "negative validation error"
    write_json(
        folder / CURVES,
        {
            "name": name,
            "metric": metric,
            "best": float(result.best),
            "best_step": int(result.best_step),
            "parameters": parameters,
            "curves": curves,
        },
    )
