"""A bundle on other data than it was built with."""

from __future__ import annotations

import tempfile
from collections import Counter
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
from rnn_edge.pipeline.recordings import read_recordings, reads_recordings
from rnn_edge.quantize import quantize_input
from rnn_edge.registry import known, lookup
from rnn_edge.types import Array, AudioDataset, Dataset, SensorDataset


def evaluate_bundle(
    bundle: Bundle,
    data: Path | None,
    engines: Sequence[str],
    *,
    whole: bool = False,
    overrides: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the task's metrics on other data, per engine.

    Anomalies are judged by the detector in the bundle: nothing is fitted to the other data.

    Args:
        bundle: A finished bundle.
        data: Folder or archive of recordings, in the layout that the bundle's spec describes;
            for a bundle of synthetic data in the recorded layout of its task, or None for the
            synthetic data itself.
        engines: Names; "float" is the floating-point model.
        whole: Score all of the recordings, not only the part that the split calls test.
        overrides: ``data.key=value`` each; see `read_recordings`.

    Raises:
        DataError: If the data has no test part, other classes or other channels, or none is given
            where the bundle was built with recordings.
        SpecError: If an override is not one that may be set here.
    """
    spec, features = bundle.spec(), FrontEnd.load(bundle.file(FRONT_END))
    float_model, model = bundle.float_model(), bundle.model()
    if data is not None:
        dataset = read_recordings(spec, features, model.labels, data, overrides, whole=whole)
    elif reads_recordings(spec):
        raise DataError(
            f"Bundle {bundle.path} was built with recordings, which it does not hold.",
            "name recordings with --data",
        )
    else:
        dataset = read_dataset(spec, None)
    _check_meaning(dataset, data, model.labels, features)
    frames = frames_of(dataset, features)
    test = frames.part("test")
    if not test:
        raise DataError(
            f"Data {data} has no test part; expected at least one sequence.",
            "score all of it with --all"
            if not whole
            else "give longer recordings, or shorten the least with --set data.min_rows=2",
        )
    kinds = {name: lookup(all_engines(), name, "engine") for name in engines}
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="rnn-edge-") as work:
        source = EngineSource(float_model, model, bundle.exports, Path(work), bundle.path)
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
            "part": "all" if whole else "test",
            **_counts(dataset),
            "notes": list(dataset.notes),
        },
        "engines": found,
    }


def _check_meaning(
    dataset: Dataset, data: Path | None, labels: Sequence[str], features: FrontEnd
) -> None:
    """Refuse data whose classes or channels are not those of the model."""
    if isinstance(dataset, AudioDataset):
        given, wanted = dataset.classes, tuple(labels)
    else:
        given, wanted = dataset.channels, features.channels
    if given != wanted:
        raise DataError(
            f"Data {data} has {known(given)}; the bundle was built for {known(wanted)}.",
            "give data of the same classes or channels, or score all of it with --all",
        )


def _counts(dataset: Dataset) -> dict[str, Any]:
    """Return how much of the test part was recorded, and how much was generated on reading."""
    if isinstance(dataset, SensorDataset):
        scored = [r for r in dataset.recordings if r.split == "test"]
        return {"recordings": len(scored), "rows": sum(len(r.values) for r in scored)}
    clips = [clip for clip in dataset.clips if clip.split == "test"]
    is_recorded = not dataset.is_synthetic
    generated = Counter(clip.label for clip in clips if clip.is_generated and is_recorded)
    return {
        "clips": len(clips) - generated.total(),
        "generated_clips": {label: generated[label] for label in sorted(generated)},
    }


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
