"""Small bundles of random weights, published without a build, and runs of them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.anomaly import DetectorConfig
from rnn_edge.exporters import c_source
from rnn_edge.exporters.base import ExportSource
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerWindowConfig
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import INPUT_EXPONENT, Normaliser
from rnn_edge.features.windows import WindowConfig
from rnn_edge.input_drift import InputReference
from rnn_edge.pipeline.bundle import STAGES, Bundle, detector_file, publish
from rnn_edge.pipeline.material import sound_config
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.spec import load_spec
from rnn_edge.spec.load import resolved_toml
from rnn_edge.types import GATES, DenseWeights, FloatModel, RecurrentWeights

PROGRAM = Path(sys.executable).with_name("rnn-edge")

SENSOR = """
seed = 3
[model]
name = "pump"
task = "anomaly"
cell = "gru"
hidden = 6
[data]
kind = "sensor-table"
path = "none"
time_column = "time"
time_format = "number"
sample_rate_hz = 2.0
channels = ["pressure", "current"]
[features]
kind = "channels"
"""

WORDS = """
seed = 3
[model]
name = "word"
task = "kws"
cell = "gru"
hidden = 8
[data]
kind = "synthetic-keywords"
[features]
kind = "log-mel"
[drift]
smoothing_frames = 5
threshold = 0.4
"""
LABELS = ("yes", "no", "unknown")


def random_model(spec, inputs, labels, seed):
    generator = np.random.default_rng(seed)
    hidden, kind = spec.model.hidden, spec.model.cells[0]
    rows = len(GATES[kind]) * hidden
    layer = RecurrentWeights(
        kind,
        generator.normal(0, 0.5, (rows, inputs)),
        generator.normal(0, 0.5, (rows, hidden)),
        generator.normal(0, 0.3, rows),
        np.zeros(rows),
    )
    head = DenseWeights(generator.normal(0, 1.5, (len(labels), hidden)), np.zeros(len(labels)))
    return FloatModel(spec.model.name, spec.model.task, (layer,), head, labels, spec.model.head)


def sensor_windows(features):
    """Return what frames are made of; training has had values from -4 to 4."""
    shape = (features.window_samples, features.hop_samples)
    if features.arithmetic == "float":
        return WindowConfig(*shape)
    config = IntegerWindowConfig(*shape, False, features.hold_samples, features.fault_samples)
    training = np.random.default_rng(1).uniform(-4, 4, (500, 2))
    return config.fitted_to([training], features.range_margin, (), features.stuck_samples)


def make_bundle(folder, text=SENSOR, seed=0, change=0.0, mean=0.0):
    """Publish a bundle.

    Args:
        folder: Of the bundle.
        text: Its spec.
        seed: Of the weights.
        change: How far the weights are moved besides, relative to 1.
        mean: That the front end takes from every feature.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STAGES).mkdir(exist_ok=True)
    work = folder / STAGES / "made"
    work.mkdir(exist_ok=True)
    (work / "given.toml").write_text(text)
    spec = load_spec(work / "given.toml", [])
    (work / "spec.toml").write_text(resolved_toml(spec))
    is_sound = spec.model.task == "kws"
    if is_sound:
        config, channels, rate = sound_config(spec.features), ("pcm",), 16_000
        inputs, labels = config.bands, LABELS
        centre, spread = -6.0, 3.0
    else:
        config = sensor_windows(spec.features)
        channels, rate = ("pressure", "current"), 2.0
        inputs, labels = 2, channels
        centre, spread = mean, 1.0
    normaliser = Normaliser(
        np.full(inputs, centre, np.float32), np.full(inputs, spread, np.float32)
    )
    front_end = FrontEnd(config, channels, rate, normaliser)
    front_end.save(work / "front_end.npz")
    model = random_model(spec, inputs, labels, seed)
    if change:
        head = DenseWeights(model.head.w * (1.0 + change), model.head.b)
        model = FloatModel(
            model.name, model.task, model.layers, head, model.labels, model.head_kind
        )
    streams = np.random.default_rng(9).normal(0, 1, (2, 100, inputs)).astype(np.float32)
    quantized = quantize_model(model, calibrate(model, streams))
    model.save(work / "float_model.npz")
    quantized.save(work / "model.npz")
    frames = normaliser.quantize_input(streams.reshape(-1, inputs) * spread + centre)
    InputReference.fit(
        [frames],
        front_end.feature_names,
        exponent=INPUT_EXPONENT,
        frame_rate_hz=front_end.frame_rate_hz,
    ).save(work / "input_reference.npz")
    exports = work / "exports"
    exports.mkdir(exist_ok=True)
    policy = spec.reset.resolved(spec.model.task)
    source = ExportSource(model, quantized, describe(front_end), reset=policy)
    c_source.EXPORTER.export(source, exports)
    names = ["spec.toml", "front_end.npz", "float_model.npz", "model.npz", "input_reference.npz"]
    if not is_sound:
        config = DetectorConfig(smoothing_frames=3.0, warmup_frames=2)
        for kind in ("float", "int8"):
            Detector(config, np.ones(2), 1.5).save(work / detector_file(kind))
            names.append(detector_file(kind))
    names += [p.relative_to(work).as_posix() for p in exports.rglob("*") if p.is_file()]
    publish(folder, {name: work / name for name in names}, {"until": "export", "name": "x"})
    return Bundle.open(folder)


def write_rows(path, rows=4000, seed=1):
    """Write a table with a fault now and then; return the values (T, 2)."""
    generator = np.random.default_rng(seed)
    time = np.arange(rows)
    values = np.stack([np.sin(time / 9.0), np.cos(time / 9.0)], axis=1)
    values += 0.05 * generator.standard_normal(values.shape)
    values[(time % 500) > 470] += 4.0
    lines = ["time,pressure,current"]
    lines += [f"{t / 2:g},{a!r},{b!r}" for t, (a, b) in zip(time, values.tolist(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return values


def events_of(text):
    return [json.loads(line) for line in text.splitlines()]


def run_live(*arguments, **options):
    """Run a stream as a process of its own, and return how it ended."""
    return subprocess.run(
        [PROGRAM, "run", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )
