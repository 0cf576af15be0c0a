"""Ranges of a float model on streams that are never reset.

Short windows from a zero state misjudge cells with a long memory, so that calibration streams
are as long as the material allows.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rnn_edge.errors import ModelError
from rnn_edge.reference import FloatReference
from rnn_edge.types import Array, FloatModel
from rnn_edge.types.calibration import CalibrationStats


def calibrate(model: FloatModel, streams: Array) -> CalibrationStats:
    """Run the float model over streams and return the largest magnitudes.

    Args:
        model: The model.
        streams: float32 (B, T, D) normalised frames; each stream starts from a zero state and is
            never reset.

    Raises:
        ModelError: If the streams have another shape, or a frame, an output or a cell is not a
            finite number.
    """
    frames = _checked(streams, model.inputs)
    if not np.isfinite(frames).all():
        raise ModelError(
            "Calibration: a frame is not a finite number.", "look for gaps in the training data"
        )
    # What the head's own scale must hold, whatever becomes of it afterwards.
    engine = FloatReference(replace(model, head_kind="linear"), frames.shape[0])
    output_max = 0.0
    cell_max = {name: 0.0 for name in engine.state if name.startswith("c")}
    for t in range(frames.shape[1]):
        output_max = max(output_max, _magnitude("y", t, engine.step(frames[:, t])))
        for name in cell_max:
            cell_max[name] = max(cell_max[name], _magnitude(name, t, engine.state[name]))
    return CalibrationStats(
        steps=frames.shape[1],
        streams=frames.shape[0],
        input_max=float(np.abs(frames).max(initial=0.0)),
        output_max=output_max,
        cell_max=cell_max,
    )


def _checked(streams: Array, inputs: int) -> Array:
    """Return the streams as float32 (B, T, D)."""
    expected = f"expected (streams, frames, features) = (B, T, {inputs})"
    try:
        frames = np.asarray(streams, np.float32)
    except (TypeError, ValueError) as error:
        raise ModelError(f"Calibration: no array of numbers, {error}; {expected}.") from error
    hint = ""
    if frames.ndim == 2 and frames.shape[1] == inputs:
        hint = "one stream is calibrate(model, frames[None])"
    elif frames.ndim == 3 and frames.shape[2] == inputs:
        hint = "calibrate on recorded frames, as many as there are"
    if frames.ndim != 3 or frames.shape[2] != inputs or not frames.size:
        raise ModelError(
            f"Calibration: streams of shape {frames.shape}; {expected}, at least one of each.", hint
        )
    return frames


def _magnitude(tensor: str, step: int, values: Array) -> float:
    """Return the largest magnitude; a comparison with NaN would let it pass unnoticed."""
    found = float(np.abs(values).max())
    if not math.isfinite(found):
        raise ModelError(
            f"Calibration: {tensor} is {found} at step {step}; expected a finite number.",
            "check the training curves for divergence",
        )
    return found
