"""A bundle on other data than it was built with."""

from __future__ import annotations

import shlex
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.engines.base import EngineKind, EngineSource, all_engines
from rnn_edge.errors import BundleError, DataError
from rnn_edge.evaluation import Runner, float_runner, integer_runner
from rnn_edge.evaluation.anomaly_metrics import anomaly_metrics
from rnn_edge.evaluation.baselines.comparison import compare_baselines
from rnn_edge.evaluation.baselines.judging import load_baselines
from rnn_edge.evaluation.commissioning import score_commissioned
from rnn_edge.evaluation.keyword import evaluate_keywords
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline.bundle import BASELINES, Bundle, bundle_detector
from rnn_edge.pipeline.material import FRONT_END, commission_samples, frames_of, read_dataset
from rnn_edge.pipeline.measure import FLOAT, INT8, test_order
from rnn_edge.pipeline.recordings import read_recordings, reads_recordings
from rnn_edge.quantize import quantize_input
from rnn_edge.registry import known, lookup
from rnn_edge.types import Array, AudioDataset, Dataset, SensorDataset
from rnn_edge.types.frames import FrameSet


def evaluate_bundle(
    bundle: Bundle,
    data: Path | None,
    engines: Sequence[str],
    *,
    whole: bool = False,
    overrides: Sequence[str] = (),
    commission: int | None = None,
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
        commission: Samples that every machine is commissioned with; None for the spec's.

    Raises:
        BundleError: If a model that spots keywords is to be commissioned.
        DataError: If the data has no test part, other classes or other channels, or none is given
            where the bundle was built with recordings.
        SpecError: If an override is not one that may be set here.
    """
    spec = bundle.spec()
    if commission is not None and spec.model.task != "anomaly":
        raise BundleError(
            f"Bundle {bundle.path} spots keywords; only anomaly models are commissioned.",
            "leave out --commission",
        )
    features = FrontEnd.load(bundle.file(FRONT_END))
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
    samples = commission_samples(spec) if commission is None else commission
    frames = frames_of(dataset, features, samples)
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
            run = engine_runner(kind, source)
            if spec.model.task == "kws":
                found[name] = evaluate_keywords(run, test_order(test), frames.labels)
            else:
                own = INT8 if kind.is_integer else FLOAT
                detector = bundle_detector(bundle, own)
                logic, scored = score_commissioned(detector, run, test, frames.frame_rate_hz)
                error = float(np.sqrt(detector.variance.mean()))
                found[name] = {
                    **anomaly_metrics(logic, scored, frames.frame_rate_hz),
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
        "baselines": _baselines(bundle, frames, found),
        "silent_sensors": silent_sensors(frames),
    }


def silent_sensors(frames: FrameSet) -> dict[str, float]:
    """Return the share of test frames in which a feature counted nothing, where that is any.

    A sensor that is missing or stuck is a fault that is told beside the alarm, not an anomaly that
    is scored; see sensors.md.
    """
    test = frames.part("test")
    count = sum(len(s.frames) for s in test)
    skipped = sum((s.skipped.sum(axis=0) for s in test if s.skipped is not None), np.zeros(1))
    shares = zip(frames.labels, (skipped / max(1, count)).tolist(), strict=False)
    return {name: share for name, share in shares if share > 0.0}


def _baselines(bundle: Bundle, frames: FrameSet, found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the baselines beside the int8 model, or beside the first engine without it.

    A bundle of keywords has none; one that was built before there were any says so.
    """
    if bundle.model().task != "anomaly":
        return None
    beside = INT8 if INT8 in found else next(iter(found))
    if BASELINES not in bundle.manifest["files"]:
        return {
            "beside": beside,
            "rows": [],
            "left_out": [],
            "wins": {},
            "recommended": None,
            "advice": "The bundle holds no baselines to compare the model with; "
            f"rnn-edge build {shlex.quote(str(bundle.path))} adds them.",
        }
    judged = load_baselines(bundle.file(BASELINES), bundle_detector(bundle, INT8).config)
    rate = frames.frame_rate_hz
    return {
        "beside": beside,
        **compare_baselines(judged, frames.part("test"), found[beside], rate),
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


def engine_runner(kind: EngineKind, source: EngineSource) -> Runner:
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
