from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rnn_edge.types.accumulators import AccumulatorBound
from rnn_edge.types.ranges import MatrixRange, ReplayedRange, Span, TensorRange

WORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
LABELS = ["_silence_", "_unknown_", *WORDS]
MODELS = ["teacher", "float", "float, no teacher", "int8 after training", "int8"]


@pytest.fixture
def keyword_report() -> dict[str, Any]:
    """A keyword build as the pipeline writes it, with every optional part."""
    qualities = dict(zip(MODELS, (0.941, 0.922, 0.915, 0.905, 0.918), strict=True))
    models = [
        {
            "name": name,
            "metrics": {"reset": _clips(q, 1)}
            if name == "teacher"
            else {"reset": _clips(q, 1), "unreset": _clips(q - 0.012, 2)},
        }
        for name, q in qualities.items()
    ]
    return _common("kws", LABELS) | {
        "data": {
            "source": "speech_commands",
            "is_synthetic": True,
            "notes": ["3 clips shorter than 1 s were padded with zeros"],
            "summary": {
                "digest": "d1" * 32,
                "source": "speech_commands",
                "audio": _audio_summary(),
                "sensors": None,
            },
        },
        "training": [_training(n, "validation accuracy") for n in ("teacher", "student")]
        + [_training("student without teacher", "validation accuracy")]
        + [_training("quantization-aware", "validation accuracy")],
        "models": models,
        "comparisons": [
            _comparison("Float to int8", "int8", "float", _clip_rows(20, 28, 0.31)),
            _comparison("Training with the teacher", "float", "float, no teacher", []),
        ],
        "detector": None,
        "scores": [],
    }


@pytest.fixture
def anomaly_report() -> dict[str, Any]:
    """An anomaly build as the pipeline writes it, measured on recorded data."""
    channels = ["Accelerometer1RMS", "Accelerometer2RMS", "Current", "Pressure", "Temperature"]
    return _common("anomaly", channels) | {
        "data": {
            "source": "csv",
            "is_synthetic": False,
            "notes": [],
            "summary": {
                "digest": "d2" * 32,
                "audio": None,
                "sensors": _sensor_summary(channels),
            },
        },
        "training": [_training(n, "negative validation error") for n in ("teacher", "student")],
        "models": [{"name": n, "metrics": _alarms(k)} for k, n in enumerate(MODELS)],
        "comparisons": [_comparison("Float to int8", "int8", "float", [_alarm_row()])],
        "detector": {
            "smoothing_frames": 8.0,
            "quantile": 0.99,
            "margin": 1.5,
            "warmup_frames": 10,
            "score_limit": 100.0,
            "score": "variance",
            "method": "quantile",
            "peak_quantile": 0.98,
            "false_alarms_per_day": 1.0,
            "cluster_frames": None,
            "least_frames": 1,
            "release": 0.8,
            "release_frames": 1,
        },
        "offsets": [1],
        "is_commissioned": False,
        "tails": {"float": None, "int8": None},
        "scores": [_scores("valve1/0", 900, True), _scores("other/11 a long name", 40000, False)],
    }


def _common(task: str, labels: list[str]) -> dict[str, Any]:
    return {
        "format": "rnn-edge report 1",
        "name": "demo_gru",
        "task": task,
        "cell": "gru",
        "hidden": 64,
        "layers": 1,
        "inputs": 40,
        "outputs": len(labels),
        "labels": labels,
        "macs": 20736,
        "weight_bytes": 24672,
        "memory": {
            "weights": 20736,
            "biases": 1584,
            "multipliers": 1584,
            "shifts": 0,
            "constants": 23904,
            "state": 128,
            "scratch": 128,
            "frame": 80,
            "result": 24,
            "saved_state": 156,
        },
        "frame_rate_hz": 50.0,
        "tool_version": "0.1.0",
        "seed": 7,
        "model_digest": "5e" * 32,
        "quantization": {
            "calibration": {
                "steps": 4000,
                "streams": 8,
                "input_max": 5.31,
                "output_max": 11.92,
                "cell_max": {"c0": 7.25},
            },
            "ranges": {
                "tensors": [
                    _tensor("x", "input", -12, None, [-21760, 20111]),
                    _tensor("h0_in", "state", -15, [-32768, 32767], [-32000, 32767]),
                    _tensor("l0_gx", "matrix", -11, [-94884, 40960], [-40960, 20111], 4321),
                    _tensor("l0_a_n", "add", -13, [-65536, 65536], [-33000, 40960], 99, ["tanh"]),
                    _tensor("l0_rh_n", "multiply", -11, [-8192, 4096], [0, 0]),
                    _tensor("y", "matrix", -10, [-65536, 65536], [-1024, 1024]),
                    _tensor("h0_out", "add", -15, [-32769, 32768], [-32000, 32768], 2),
                ],
                "matrices": [
                    _matrix("layer0.x", 192, 28, 0),
                    _matrix("head", 12, 35, 3),
                ],
            },
        },
        "replayed_ranges": [
            ReplayedRange(n, "add", e, Span(*seen), 640_000, count, squashed_by).to_json()
            for n, e, seen, count, squashed_by in (
                ("x", -12, [-20000, 32767], 0, ()),
                ("h0_in", -15, [-32000, 32767], 0, ()),
                ("l0_gx", -11, [-36864, 20111], 1280, ()),
                ("l0_a_n", -13, [-33000, 40960], 64, ("tanh",)),
                ("l0_rh_n", -11, [-8192, 4096], 0, ()),
                ("h0_out", -15, [-32000, 32767], 0, ()),
                ("y", -10, [-32000, 40960], 6400, ()),
            )
        ],
        "drift": [_drift("int8 after training", 0.029), _drift("int8", 0.0091)],
        "parity": [
            {"engine": e, "tensor": t, "steps": 10000, "differing": 0, "max_lsb": 0}
            | {"first_step": None}
            for e in ("c", "litert", "tflite-runtime", "tflm")
            for t in ("y", "h0")
        ],
        "float_engines": [
            {"engine": "onnx", "tensor": "y", "steps": 10000, "maximum": 7.2e-7}
            | {"tolerance": 1e-3},
            {"engine": "onnx-int8", "tensor": "y", "steps": 10000, "maximum": 0.25}
            | {"tolerance": None},
        ],
        "exports": [
            {"file": "tflite/demo_gru.tflite", "bytes": 31840},
            {"file": "c/demo_gru_data.c", "bytes": 148213},
            {"file": "c/demo_gru_data.h", "bytes": 912},
        ],
        "not_run": ["device:qemu-m4: qemu-system-arm is not installed"],
    }


def _tensor(
    name: str,
    operator: str,
    exponent: int,
    analytic: list[int] | None,
    calibrated: list[int],
    saturated: int = 0,
    squashed_by: list[str] | None = None,
) -> dict[str, Any]:
    row = TensorRange(
        name,
        operator,
        64,
        exponent,
        None if analytic is None else Span(*analytic),
        Span(*calibrated),
        2_048_000,
        saturated,
        tuple(squashed_by or ()),
    )
    return row.to_json()


def _matrix(name: str, rows: int, bits: int, int64_rows: int) -> dict[str, Any]:
    bound = AccumulatorBound(name, rows, 5, (1 << (bits - 1)) - 1)
    row = MatrixRange(bound, bits - 2, rows - int64_rows, (1 << (bits - 4)) - 1)
    return row.to_json() | {"c_sums": "int64" if int64_rows else "int32"}


def _clips(quality: float, seed: int) -> dict[str, Any]:
    generator = np.random.Generator(np.random.PCG64(seed))
    count, clips = len(LABELS), 240
    confusion = np.zeros((count, count), int)
    for k in range(count):
        wrong = round(clips * (1 - quality))
        for other in generator.integers(0, count, wrong):
            confusion[k, other] += 1
        confusion[k, k] += clips - wrong
    recall = confusion.diagonal() / confusion.sum(axis=1)
    precision = confusion.diagonal() / confusion.sum(axis=0)
    return {
        "accuracy": quality,
        "accuracy_interval": [quality - 0.011, quality + 0.009],
        "macro_f1": quality - 0.003,
        "clips": int(confusion.sum()),
        "confusion": confusion.tolist(),
        "per_class": [
            {
                "label": label,
                "count": clips,
                "recall": float(recall[k]),
                "recall_interval": [float(recall[k]) - 0.04, float(recall[k]) + 0.03],
                "precision": float(precision[k]),
                "f1": float(2 * recall[k] * precision[k] / (recall[k] + precision[k])),
            }
            for k, label in enumerate(LABELS)
        ],
    }


def _alarms(k: int) -> dict[str, Any]:
    return {
        "is_labelled": True,
        "recordings": 19,
        "alarm_rate": 0.31,
        "samples": 22472,
        "anomalous": 7813,
        "threshold": 2.2187,
        "precision": 0.81 - 0.004 * k,
        "recall": 0.72 + 0.002 * k,
        "f1": 0.762 - 0.002 * k,
        "f1_interval": [0.71, 0.80],
        "false_alarm_rate": 0.091,
        "missing_alarm_rate": 0.28 - 0.002 * k,
        "auc_pr": None if k == 0 else 0.79,
        "event_f1": 0.84,
        "events": 31,
        "events_found": 27,
        "false_alarm_runs": 5,
        "forecast_rmse": 0.3127,
    }


def _training(name: str, metric: str) -> dict[str, Any]:
    offset = 0.01 * len(name) / 20
    steps = range(0, 3600, 90)
    return {
        "name": name,
        "metric": metric,
        "best": 0.93 - offset,
        "best_step": 3200,
        "parameters": 21000,
        "curves": {
            "carried": [[s, 0.9 - offset] for s in steps],
            "loss": [[s, 2.4 * math.exp(-s / 500) + 0.04 + offset] for s in steps],
            "validation": [[s, 0.93 - offset - 0.85 * math.exp(-s / 400)] for s in steps],
        },
    }


def _drift(name: str, rms: float) -> dict[str, Any]:
    steps = sorted({round(s) for s in np.geomspace(1, 100000, 40)})
    rows = [
        {
            "tensor": tensor,
            "rms": rms * factor,
            "maximum": rms * factor * 9,
            "relative": rms * 1.8,
            "curve": [[s, rms * factor * (1 - math.exp(-s / 30))] for s in steps],
        }
        for tensor, factor in (("y", 7.0), ("h0", 1.0))
    ]
    return {"name": name, "steps": 100000, "hidden_rms": rms, "agreement": 0.9952, "rows": rows}


def _scores(recording: str, seconds: int, is_labelled: bool) -> dict[str, Any]:
    count = 600
    generator = np.random.Generator(np.random.PCG64(count + seconds))
    scores = np.abs(generator.normal(1.0, 0.3, count)) + 0.05
    faulty = np.zeros(count, bool)
    faulty[200:290] = faulty[430:480] = True
    scores[faulty] += np.abs(generator.normal(3.0, 1.0, int(faulty.sum())))
    if not is_labelled:
        scores[300] = 400.0
    return {
        "recording": recording,
        "thresholds": {"float": 2.2187, "int8": 2.31},
        "sample_rate_hz": count / seconds,
        "float": scores.round(4).tolist(),
        "int8": (scores * 1.02 + 0.02).round(4).tolist(),
        "alarms": {
            "float": (scores > 2.2187).astype(int).tolist(),
            "int8": (scores * 1.02 + 0.02 > 2.31).astype(int).tolist(),
        },
        "anomalous": faulty.astype(int).tolist() if is_labelled else None,
    }


def _audio_summary() -> dict[str, Any]:
    none = {"count": 0, "examples": []}
    splits = {"test": 243, "train": 2048, "validation": 256}
    durations = {"max_s": 1.0, "median_s": 0.98, "min_s": 0.37, "total_s": 1943.0}
    return {
        "sample_rate_hz": 16000,
        "clips": dict.fromkeys(sorted(LABELS), splits),
        "speakers": {"test": 148, "train": 1203, "validation": 151},
        "durations": dict.fromkeys(splits, durations),
        "background_s": {"test": 0.0, "train": 319.5, "validation": 39.9},
        "nameless_clips": 12,
        "shared_speakers": none,
        "clipped": {"count": 20, "examples": ["bed/1", "bed/2", "cat/3", "dog/4"]},
        "nearly_silent": none,
        "duplicates": none,
        "leaks": {"count": 1, "examples": ["test:yes/1 = train:yes/9"]},
    }


def _sensor_summary(channels: list[str]) -> dict[str, Any]:
    splits = ("test", "train", "validation")
    return {
        "sample_rate_hz": 1.0,
        "recordings": {"test": 19, "train": 12, "validation": 4},
        "rows": {"test": 22472, "train": 9000, "validation": 3000},
        "durations": {
            split: {"max_s": 1327.0, "median_s": 1147.0, "min_s": 745.0, "total_s": 37401.0}
            for split in ("test", "train")
        },
        "channels": {
            split: {
                name: {"max": 2.5 * k + 1, "mean": 1.7 * k, "min": 0.5, "std": 0.004 * k}
                for k, name in enumerate(sorted(channels))
            }
            for split in splits
        },
        "constant_channels": [],
        "labelled_rows": {"test": 22472, "train": 0, "validation": 0},
        "anomalous_share": {"test": 0.3477},
        "leaks": {"count": 0, "examples": []},
    }


def _comparison(title: str, after: str, before: str, rows: list[Any]) -> dict[str, Any]:
    return {"title": title, "with": after, "without": before, "rows": rows}


def _clip_rows(gained: int, lost: int, p_value: float) -> list[dict[str, Any]]:
    return [
        {
            "measure": measure,
            "before": 0.922,
            "after": 0.918,
            "difference": (gained - lost) / 2880,
            "interval": [-0.0078, 0.0021],
            "pairs": 2880,
            "gained": gained,
            "lost": lost,
            "p_value": p_value,
        }
        for measure in ("unreset", "reset")
    ]


def _alarm_row() -> dict[str, Any]:
    return {
        "measure": "f1",
        "before": 0.760,
        "after": 0.754,
        "difference": -0.006,
        "interval": [-0.011, -0.002],
        "pairs": 19,
        "gained": None,
        "lost": None,
        "p_value": 0.012,
    }
