"""The models that the converter and we are given, each with the streams that belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from initial_models import initial_model, slow_noise

from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.pipeline import Bundle
from rnn_edge.pipeline.bundle import STAGES
from rnn_edge.pipeline.material import FRAMES, FRONT_END, frames_of, read_dataset
from rnn_edge.pipeline.stages import StageStore
from rnn_edge.quantize import calibrate, quantize_model
from rnn_edge.replay import concatenate
from rnn_edge.types import Array, CellKind, FloatModel, QuantizedModel
from rnn_edge.types.frames import FrameSet

CALIBRATION_SEED = 1
STREAM_SEED = 2


@dataclass(frozen=True, eq=False)
class Subject:
    """One model.

    Attributes:
        name: For the table.
        float_model: What drift is measured against.
        model: Ours.
        calibration: float32 (T, D), what the converter calibrates on.
        stream: float32 (T, D), what is replayed.
        known_drift: What ours was said to stay within after 100,000 steps, or None.
    """

    name: str
    float_model: FloatModel
    model: QuantizedModel
    calibration: Array
    stream: Array
    known_drift: float | None


def random_subject(
    cell: CellKind,
    layers: int,
    hidden: int,
    inputs: int,
    seed: int,
    forget_bias: float,
    calibration_steps: int,
    steps: int,
) -> Subject:
    """Return an untrained model; ours is calibrated on the frames that the converter gets."""
    model = initial_model(cell, layers, hidden, inputs, seed, forget_bias)
    calibration = slow_noise(calibration_steps, inputs, CALIBRATION_SEED)
    known = {"gru": 0.005, "lstm": 0.008}[cell] if hidden == 64 and forget_bias == 1.0 else None
    return Subject(
        f"{cell.upper()} {hidden}, {layers} layer{'s' if layers > 1 else ''}",
        model,
        quantize_model(model, calibrate(model, calibration[None])),
        calibration,
        slow_noise(steps, inputs, STREAM_SEED),
        known,
    )


def bundle_subject(path: Path, data: Path | None, calibration_steps: int, steps: int) -> Subject:
    """Return a trained model as its bundle has it.

    The converter calibrates on sequences of the training part, one after the other; what is
    replayed is the test part, as often as it takes.

    Raises:
        RnnEdgeError: If it is no finished bundle or its data is not to be had.
    """
    bundle = Bundle.open(path)
    float_model = bundle.float_model()
    frames = _frames(bundle, data)
    parts: list[Array] = []
    for split, length, seed in (
        ("train", calibration_steps, CALIBRATION_SEED),
        ("test", steps, STREAM_SEED),
    ):
        sequences = [s.frames for s in frames.sequences if s.split == split]
        if not sequences:
            raise DataError(f"Bundle {path}: its data has no {split} part.")
        parts.append(np.ascontiguousarray(concatenate(sequences, length, seed)[:length]))
    layers = float_model.layers
    shape = f"{layers[0].kind.upper()} {layers[0].hidden} x {len(layers)}"
    name = f"{bundle.spec().model.name} ({shape}, trained, model {bundle.model().digest()[:12]})"
    return Subject(name, float_model, bundle.model(), parts[0], parts[1], None)


def _frames(bundle: Bundle, data: Path | None) -> FrameSet:
    """Return the frames that the build kept, or read the data again."""
    stage = str(bundle.manifest.get("stages", {}).get("data", ""))
    kept = StageStore(bundle.path / STAGES).find("data", stage) if stage and data is None else None
    if kept is not None:
        return FrameSet.load(kept.folder / FRAMES)
    spec = bundle.spec()
    if data is None and hasattr(spec.data, "path"):
        raise DataError(
            f"Bundle {bundle.path} does not hold the recordings it was built with.",
            "name recordings of the same layout with --data",
        )
    return frames_of(read_dataset(spec, data), FrontEnd.load(bundle.file(FRONT_END)))
