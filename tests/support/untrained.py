"""Stages that find weights, without training: random weights in the files of the real ones."""

import fcntl
import hashlib
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from rnn_edge.pipeline import Bundle, build_bundle, training
from rnn_edge.pipeline.bundle import MANIFEST
from rnn_edge.pipeline.files import write_json
from rnn_edge.quantize import calibrate, model_ranges
from rnn_edge.replay import concatenate
from rnn_edge.spec import load_spec
from rnn_edge.types import GATES, DenseWeights, FloatModel, RecurrentWeights
from rnn_edge.types.archive import save_archive
from rnn_edge.types.frames import padded

SHARED = "RNN_EDGE_TESTS_SHARED"
"""Names the folder in which the processes of a run keep what they build for each other."""
SPEC = """
seed = 3
[model]
name = "tiny"
task = "anomaly"
cell = "lstm"
hidden = 4
[data]
kind = "synthetic-machine"
sample_rate_hz = 2.0
recording_s = 60.0
train_recordings = 2
validation_recordings = 1
test_recordings = 2
[features]
kind = "channels"
sequence_frames = 16
[quantize]
calibration_steps = 100
calibration_streams = 2
[replay]
engines = ["float", "int8"]
"""


def replace_training(setattr_, pause_s=0.0):
    """Put the stand-ins in place of the training stages.

    Args:
        setattr_: Called with object, name and value; ``monkeypatch.setattr`` or ``setattr``.
        pause_s: Seconds that each stage takes, so that it can be interrupted.
    """

    def make_teacher(spec, frames, data_folder, folder, progress):
        progress("teacher", 1, 2, {"loss": 1.0})
        time.sleep(pause_s)
        save_archive(folder / training.TEACHER, {"format": "rnn-edge teacher 1"}, [])
        np.save(folder / training.SOFT, np.zeros(3, np.float32))
        outputs = []
        if spec.model.task == "kws":
            # One row for each clip, and not one for each frame as of forecasts.
            outputs.append(("test", np.zeros((len(frames.part("test")), len(frames.labels)))))
        else:
            for part in ("test", "validation"):
                x, _ = padded([s.frames for s in frames.part(part)])
                outputs.append((part, x))
        save_archive(folder / training.TEACHER_ON_TEST, {"format": "rnn-edge outputs 1"}, outputs)
        curves(folder, "teacher")

    def make_student(spec, frames, data_folder, teacher_folder, folder, progress):
        stage = "student" if teacher_folder else "baseline"
        progress(stage, 1, 2, {"loss": 1.0})
        time.sleep(pause_s)
        seed = spec.seed + (teacher_folder is None)
        random_model(spec, frames, seed).save(folder / training.STUDENT)
        curves(folder, "student")

    def make_quantized(spec, frames, data, teacher, student, folder, progress):
        progress("quantize", 1, 2, {"loss": 1.0})
        model = FloatModel.load(student / training.STUDENT)
        steps = spec.quantize.calibration_steps
        sequences = [s.frames for s in frames.part("train")]
        streams = concatenate(sequences, steps, 0)[None, :steps]
        stats = calibrate(model, streams)
        time.sleep(pause_s)
        quantized = training.round_model(spec, model, stats, streams)
        quantized.save(folder / training.AFTER_TRAINING)
        quantized.save(folder / training.MODEL)
        model.save(folder / training.FLOAT_MODEL)
        ranges = model_ranges(quantized, streams).to_json()
        found = {"calibration": stats.to_json(), "ranges": ranges}
        write_json(folder / training.QUANTIZATION, found)
        curves(folder, "quantization-aware")

    for stand_in in (make_teacher, make_student, make_quantized):
        setattr_(training, stand_in.__name__, stand_in)


def curves(folder, name):
    points = {"loss": [[1, 2.0], [2, 1.0]], "validation": [[1, 0.5], [2, 0.6]]}
    found = {"name": name, "metric": "accuracy", "best": 0.6, "best_step": 2}
    write_json(folder / training.CURVES, found | {"parameters": 10, "curves": points})


def random_model(spec, frames, seed):
    generator = np.random.default_rng(seed)
    hidden, outputs = spec.model.hidden, len(frames.labels)
    inputs = frames.sequences[0].frames.shape[1]
    layers = []
    for kind in spec.model.cells:
        rows = len(GATES[kind]) * hidden
        layers.append(
            RecurrentWeights(
                kind,
                generator.normal(0, 0.5, (rows, inputs)),
                generator.normal(0, 0.5, (rows, hidden)),
                generator.normal(0, 0.3, rows),
                np.zeros(rows),
            )
        )
        inputs = hidden
    head = DenseWeights(generator.normal(0, 0.5, (outputs, hidden)), np.zeros(outputs))
    return FloatModel(
        spec.model.name, spec.model.task, tuple(layers), head, frames.labels, spec.model.head
    )


def untrained_bundle(folder, spec=SPEC):
    """Build a spec with the stand-ins, and return a bundle in a folder that is the test's own.

    Args:
        folder: The bundle goes into ``bundle`` in it, the spec beside it.
        spec: Its text.
    """
    (folder / "tiny.toml").write_text(spec)
    shared = os.environ.get(SHARED)
    if shared is None:
        return _build(folder)
    # Several modules want the same one, in several processes: the first of them builds it.
    place = Path(shared) / hashlib.sha256(spec.encode()).hexdigest()[:16]
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "bundle" / MANIFEST).exists():
            (place / "tiny.toml").write_text(spec)
            _build(place)
    return Bundle.open(Path(shutil.copytree(place / "bundle", folder / "bundle")))


def _build(folder):
    with pytest.MonkeyPatch.context() as patch:
        replace_training(patch.setattr)
        return build_bundle(
            load_spec(folder / "tiny.toml", []), folder / "bundle", progress=lambda *_: None
        )
