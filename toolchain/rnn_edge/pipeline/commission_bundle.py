"""A bundle for one machine: the same network, with normaliser and detectors of the machine."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import BundleError, DataError
from rnn_edge.evaluation import Detector, float_runner, integer_runner
from rnn_edge.evaluation.anomaly import first_scored
from rnn_edge.evaluation.baselines.judging import (
    JudgedBaseline,
    available_baselines,
    load_baselines,
    save_baselines,
)
from rnn_edge.exporters.base import ExportSource
from rnn_edge.features.commissioning import commission_front_end
from rnn_edge.features.description import describe
from rnn_edge.features.fixed_point import IntegerWindows
from rnn_edge.features.fixed_point.sensor_flags import (
    CAUSES,
    FAULT,
    FAULT_MISSING,
    FAULT_RANGE,
    FAULT_STUCK,
)
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline import formats
from rnn_edge.pipeline.bundle import BASELINES, Bundle, bundle_detector, detector_file, publish
from rnn_edge.pipeline.card import MODEL_CARD
from rnn_edge.pipeline.files import write_bytes
from rnn_edge.pipeline.material import FRONT_END, commission_samples
from rnn_edge.pipeline.measure import FLOAT, INT8
from rnn_edge.pipeline.place import output_folder
from rnn_edge.pipeline.recordings import read_recordings
from rnn_edge.types import Array, SensorDataset
from rnn_edge.types.frames import FrameSequence

EXPORTS = "exports/"
WHAT_TO_DO = {
    FAULT_MISSING: "record rows without gaps",
    FAULT_STUCK: "mend the sensor, or build the model with a greater features.stuck_samples",
    FAULT_RANGE: "check its unit, or build the model with a greater features.range_margin",
}
"""About a sensor that has failed."""


def commission_bundle(
    bundle: Bundle, data: Path, out: Path, samples: int | None = None
) -> tuple[Bundle, dict[str, Any]]:
    """Write a bundle whose normaliser and detectors are those of one machine.

    The network and its weights stay as they are; what a device has of the machine are numbers.

    Args:
        bundle: A finished bundle of an anomaly model.
        data: Recordings of the machine in normal operation, in the layout of the bundle's spec.
        out: Folder of the new bundle.
        samples: First samples that are used, of all recordings together; None for as many as the
            spec says, or all.

    Returns:
        The new bundle, and what it was commissioned with as JSON values.

    Raises:
        DataError: If a row of them is labelled anomalous, a sensor has failed, there are too few,
            or ``out`` is the bundle itself.
        BundleError: If the bundle is of keywords, or its exports depend on more than is here.
    """
    spec = bundle.spec()
    if spec.model.task != "anomaly":
        raise BundleError(
            f"Bundle {bundle.path} spots keywords; only anomaly models are commissioned."
        )
    if spec.export.also:
        raise BundleError(
            f"Bundle {bundle.path} has formats that are calibrated on its training part: "
            f"{', '.join(spec.export.also)}; expected export.also = [].",
            "build it without them",
        )
    if out.resolve() == bundle.path.resolve():
        raise DataError(
            f"Folder {out} is the bundle itself; expected another one.",
            "it is what other machines are commissioned with",
        )
    features = FrontEnd.load(bundle.file(FRONT_END))
    # `rnn-edge commission` has no --set.
    dataset = read_recordings(
        spec, features, bundle.model().labels, data, whole=True, is_settable=False, is_normal=True
    )
    assert isinstance(dataset, SensorDataset), "an anomaly model reads sensors"
    if not dataset.recordings:
        raise DataError(
            f"Data {data} has no recording long enough to commission a machine with: "
            f"{'; '.join(dataset.notes) or 'no rows'}",
            "record some minutes of normal operation",
        )
    pieces = _first(dataset, commission_samples(spec) if samples is None else samples)
    _refuse_faults(features, pieces)
    own = commission_front_end(features, np.concatenate(pieces))
    normal = [
        FrameSequence(f"piece {k}", own.frames(values), -1, None, "validation")
        for k, values in enumerate(pieces)
    ]
    used: dict[str, Any] = {
        "source": dataset.source,
        "samples": sum(len(values) for values in pieces),
        "scores": _scores(bundle, normal),
        "thresholds": {},
    }
    with output_folder(out), tempfile.TemporaryDirectory(prefix="rnn-edge-") as name:
        work = Path(name)
        files = {each: bundle.path / each for each in bundle.manifest["files"]}
        files |= _detectors(bundle, normal, own.frame_rate_hz, work, used)
        own.save(work / FRONT_END)
        files[FRONT_END] = work / FRONT_END
        files = {n: path for n, path in files.items() if not n.startswith(EXPORTS)}
        files |= _exports(bundle, own, work / "exports")
        if MODEL_CARD in files:
            card = files[MODEL_CARD].read_text(encoding="utf-8") + _card(used)
            write_bytes(work / MODEL_CARD, card.encode())
            files[MODEL_CARD] = work / MODEL_CARD
        kept = {k: v for k, v in bundle.manifest.items() if k not in ("files", "format")}
        facts = {**kept, "stages": {}, "commissioned": used}
        return publish(out, files, facts), used


def _first(dataset: SensorDataset, samples: int) -> list[Array]:
    """Return the first samples of all recordings in their order, by recording."""
    left, pieces = samples or sum(len(r.values) for r in dataset.recordings), []
    for recording in dataset.recordings:
        count = min(left, len(recording.values))
        if not count:
            break
        if recording.anomalous is not None and recording.anomalous[:count].any():
            row = int(recording.anomalous[:count].argmax())
            raise DataError(
                f"Recording {recording.recording_id}, row {row} is labelled anomalous; a machine "
                "is commissioned with normal operation.",
                "take fewer with --samples, or other recordings",
            )
        pieces.append(recording.values[:count])
        left -= count
    return pieces


def _refuse_faults(features: FrontEnd, pieces: list[Array]) -> None:
    """Refuse samples of which the front end says that a sensor has failed."""
    for values in pieces:
        stream = features.stream()
        if not isinstance(stream, IntegerWindows):
            return
        stream.frames(values)
        has_failed = ((stream.flags & FAULT) != 0).any(axis=0)
        if has_failed.any():
            k = int(has_failed.argmax())
            faults = int(np.bitwise_or.reduce(stream.flags[:, k]))
            low, high = np.nanmin(values[:, k]), np.nanmax(values[:, k])
            causes = [what for bit, what in CAUSES.items() if faults & bit]
            raise DataError(
                f"Channel {features.channels[k]!r} is {' and '.join(causes)}, by the limits of the "
                f"model's training; its values are from {low:g} to {high:g}.",
                "; ".join(WHAT_TO_DO[bit] for bit in WHAT_TO_DO if faults & bit)
                + "; see docs/sensors.md",
            )


def _scores(bundle: Bundle, normal: list[FrameSequence]) -> int:
    """Return how many scores the thresholds are chosen from."""
    detector = bundle_detector(bundle, INT8)
    start = first_scored(detector.config, detector.offsets)
    return sum(max(0, len(each.frames) - start) for each in normal)


def few_scores(bundle: Bundle, used: dict[str, Any]) -> str | None:
    """Return what to say where scores are too few for the quantile that is their threshold.

    Args:
        bundle: Any of the two, the detector's configuration is the same.
        used: What `commission_bundle` returned beside the new one.
    """
    config = bundle_detector(bundle, INT8).config
    if config.method != "quantile" or config.quantile == 1.0:
        return None
    wanted = math.ceil(1.0 / (1.0 - config.quantile) - 1e-9)
    if used["scores"] >= wanted:
        return None
    return (
        f"warning: the threshold is the quantile {config.quantile:g} of {used['scores']:,} scores, "
        f"near the greatest of them; {wanted:,} and more tell it better, from more samples"
    )


def _detectors(
    bundle: Bundle,
    normal: list[FrameSequence],
    frame_rate_hz: float,
    work: Path,
    used: dict[str, Any],
) -> dict[str, Path]:
    """Write the detectors of the machine, and the baselines beside them."""
    files: dict[str, Path] = {}
    runners = {
        FLOAT: float_runner(bundle.float_model()),
        INT8: integer_runner(bundle.model()),
    }
    for name, run in runners.items():
        before = bundle_detector(bundle, name)
        own = Detector.fit(before.config, run, normal, before.offsets, frame_rate_hz)
        files[detector_file(name)] = work / detector_file(name)
        own.save(files[detector_file(name)])
        used["thresholds"][name] = own.threshold
    if BASELINES in bundle.manifest["files"]:
        config = bundle_detector(bundle, INT8).config
        here = {kind.name for kind in available_baselines()[0]}
        judged = [
            JudgedBaseline.fit(each.kind, config, normal, normal, frame_rate_hz)
            for each in load_baselines(bundle.file(BASELINES), config)
            if each.kind.name in here
        ]
        files[BASELINES] = work / BASELINES
        save_baselines(judged, files[BASELINES])
    return files


def _exports(bundle: Bundle, features: FrontEnd, folder: Path) -> dict[str, Path]:
    """Write the exported files anew: they say, and compute, how frames are made."""
    spec = bundle.spec()
    source = ExportSource(
        bundle.float_model(),
        bundle.model(),
        describe(features),
        None,
        spec.reset.resolved(spec.model.task),
        spec.c.choices(),
    )
    folder.mkdir()
    for exporter in formats.chosen_exporters(spec):
        exporter.export(source, folder)
    return {
        EXPORTS + path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _card(used: dict[str, Any]) -> str:
    """Return what the card of a commissioned bundle says besides."""
    thresholds = ", ".join(f"{name} {value:.6g}" for name, value in used["thresholds"].items())
    return (
        "\n## Commissioned\n\n"
        f"This bundle is set to one machine with {used['samples']:,} samples of its normal "
        f"operation, from {used['source']}: normaliser, variances, covariance and thresholds "
        f"({thresholds}) are of these alone. The parts above describe the bundle that it was made "
        "from, thresholds and quality too; what it is worth on this machine is not measured.\n"
    )
