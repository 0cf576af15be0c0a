"""Ranges of a float model on streams that are never reset.

Short windows from a zero state misjudge cells with a long memory, so that calibration streams
are as long as the material allows.
"""

from __future__ import annotations

import numpy as np

from rnn_edge.reference import FloatReference
from rnn_edge.types import Array, FloatModel
from rnn_edge.types.calibration import CalibrationStats


def calibrate(model: FloatModel, streams: Array) -> CalibrationStats:
    """Run the float model over streams and return the largest magnitudes.

    Args:
        model: The model.
        streams: float32 (B, T, D) normalised frames; each stream starts from a zero state and is
            never reset.
    """
    frames = np.asarray(streams, np.float32)
    engine = FloatReference(model, frames.shape[0])
    output_max = 0.0
    cell_max = {name: 0.0 for name in engine.state if name.startswith("c")}
    for t in range(frames.shape[1]):
        output_max = max(output_max, float(np.abs(engine.step(frames[:, t])).max()))
        for name in cell_max:
            cell_max[name] = max(cell_max[name], float(np.abs(engine.state[name]).max()))
    return CalibrationStats(
        steps=frames.shape[1],
        streams=frames.shape[0],
        input_max=float(np.abs(frames).max(initial=0.0)),
        output_max=output_max,
        cell_max=cell_max,
    )
