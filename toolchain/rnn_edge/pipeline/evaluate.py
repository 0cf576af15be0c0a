"""A bundle on other data than it was built with."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.engines.base import EngineKind, EngineSource, all_engines
from rnn_edge.errors import DataError
from rnn_edge.evaluation import Detector, Runner, float_runner, integer_runner, score_recordings
from rnn_edge.evaluation.anomaly import anomaly_metrics
from rnn_edge.evaluation.keyword import evaluate_keywords
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import Bundle, detector_file
from rnn_edge.pipeline.material import FRONT_END, frames_of, read_dataset
from rnn_edge.pipeline.measure import FLOAT, INT8, test_order
from rnn_edge.quantize import quantize_input
from rnn_edge.registry import lookup
from rnn_edge.spec import ModelSpec, SensorTableData, SpeechCommandsData
from rnn_edge.types import Array, AudioDataset


def evaluate_bundle(
    bundle: Bundle, data: Path, engines: Sequence[str], *, whole: bool = False
) -> dict[str, Any]:
    """Return the task's metrics on other data, per engine.

    Anomalies are judged by the detector in the bundle: nothing is fitted to the other data.

    Args:
        bundle: A finished bundle.
        data: Folder or archive in the layout that the bundle's spec describes.
        engines: Names; "float" is the floating-point model.
        whole: Score all of the data, not only the part that the spec's split calls test.

    Raises:
        DataError: If the data has no test part, other classes or other channels.
    """
    spec, features = bundle.spec(), FrontEnd.load(bundle.file(FRONT_END))
    dataset = read_dataset(_all_test(spec) if whole else spec, data)
    float_model, model = bundle.float_model(), bundle.model()
    if isinstance(dataset, AudioDataset):
        given, wanted = dataset.classes, model.labels
    else:
        given, wanted = dataset.channels, features.channels
    if given != wanted:
        raise DataError(
            f"Data {data} has {', '.join(given)}; the bundle was built for {', '.join(wanted)}."
        )
    frames = frames_of(dataset, features)
    test = frames.part("test")
    if not test:
        raise DataError(f"Data {data} has no test part; expected at least one sequence.")
    kinds = {name: lookup(all_engines(), name, "engine") for name in engines}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        source = EngineSource(float_model, model, bundle.exports, Path(work))
        for name, kind in kinds.items():
            run = _runner(kind, source)
            if spec.model.task == "kws":
                found[name] = evaluate_keywords(run, test_order(test), frames.labels)
            else:
                own = INT8 if kind.is_integer else FLOAT
                detector = Detector.load(bundle.file(detector_file(own)))
                scored = score_recordings(detector, run, test)
                error = float(np.sqrt(detector.variance.mean()))
                found[name] = {
                    **anomaly_metrics(detector.threshold, scored),
                    "forecast_rmse": error,
                }
    return {
        "bundle": spec.model.name,
        "task": spec.model.task,
        "data": {
            "source": dataset.source,
            "is_synthetic": dataset.is_synthetic,
            "notes": list(dataset.notes),
        },
        "engines": found,
    }


def _all_test(spec: ModelSpec) -> ModelSpec:
    """Return the spec with a split that puts everything into the test part."""
    update: dict[str, Any] = {}
    if isinstance(spec.data, SpeechCommandsData):
        update = {"split": "test"}
    elif isinstance(spec.data, SensorTableData):
        no_files: tuple[str, ...] = ()
        update = {
            "split_by": "recording",
            "head_rows": 0,
            "train_files": no_files,
            "validation_files": no_files,
            "test_files": ("*",),
        }
    return spec.model_copy(update={"data": spec.data.model_copy(update=update)})


def _runner(kind: EngineKind, source: EngineSource) -> Runner:
    """Return a runner of an engine; the references run all streams at once."""
    if kind.name == "float":
        return float_runner(source.float_model)
    if kind.name == "int8":
        return integer_runner(source.model)
    scale = np.float32(2.0**source.model.output_exponent)

    def run(frames: Array) -> Array:
        x = quantize_input(frames, source.model.input_exponent) if kind.is_integer else frames
        outputs = []
        with kind.open(source) as engine:
            for stream in x:
                engine.reset()
                outputs.append(engine.run(stream).outputs)
        stacked = np.stack(outputs).astype(np.float32)
        return stacked * scale if kind.is_integer else stacked

    return run
