"""Frames that are fed to a device in the place of its sensor's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.logs import is_log
from rnn_edge.logs.reader import BadLine, LogReader
from rnn_edge.pipeline.bundle import Bundle
from rnn_edge.pipeline.device_proof import ProofFrames, proof_frames
from rnn_edge.pipeline.material import FRONT_END
from rnn_edge.quantize import quantize_input
from rnn_edge.types import Array, QuantizedModel

TEST = "test"
"""Stands for the frames of the bundle's own stream."""
TEST_STEPS = 10_000


def fed_frames(bundle: Bundle, feed: str, data: Path | None) -> ProofFrames:
    """Return the frames that a command line asks for.

    Args:
        bundle: A finished bundle.
        feed: `TEST`, a file of numpy (int16 at the model's input scale, or real units), or a log.
        data: Recordings in the layout of the bundle's spec, for `TEST`; None for those of the
            build.

    Raises:
        DataError: If they are not there, or not the model's.
    """
    if feed == TEST:
        return proof_frames(bundle, data, TEST_STEPS)
    path, model = Path(feed), bundle.model()
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise DataError(
            f"Frames {feed}: {what}; expected a .npy file or a log.",
            f'"--feed {TEST}" feeds frames of the bundle',
        )
    x = _of_log(path, model) if is_log(path) else _of_array(path)
    if x.ndim != 2 or x.shape[1] != model.inputs or not len(x):
        raise DataError(
            f"Frames {feed}: {x.dtype} {x.shape}; expected (T, {model.inputs}), T at least 1."
        )
    if np.issubdtype(x.dtype, np.floating):
        if not np.isfinite(x).all():
            raise DataError(f"Frames {feed}: not all values are finite.")
        clipped = _clipped(x, model.input_exponent)
        x = quantize_input(x.astype(np.float32), model.input_exponent)
        return ProofFrames(x, path.name, clipped)
    elif x.dtype != np.int16:
        raise DataError(f"Frames {feed}: {x.dtype}; expected int16, or real units.")
    return ProofFrames(x, path.name)


def _clipped(x: Array, exponent: int) -> int:
    """Return how many frames real (T, D) have a value that int16 at a scale does not hold."""
    steps = np.rint(np.asarray(x, np.float64) * 2.0**-exponent)
    return int(((steps < -32768) | (steps > 32767)).any(axis=1).sum())


def _of_array(path: Path) -> Array:
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        # numpy takes what it does not know for a pickle, and advises to trust it.
        reason = "no array" if "pickle" in str(error) else error
        raise DataError(
            f"Frames {path}: {reason}; expected a file that numpy.save wrote, or a log."
        ) from error
    if not isinstance(found, np.ndarray):
        raise DataError(f"Frames {path}: several arrays; expected one.")
    return found


def _of_log(path: Path, model: QuantizedModel) -> Array:
    """Return frames of a log as they are: int16, or in real units if any is."""
    rows: list[Array] = []
    with LogReader(path, inputs=model.inputs) as log:
        for frame in log:
            if isinstance(frame, BadLine):
                raise DataError(f"Log {path}, line {frame.line}: {frame.reason}")
            if frame.x is not None:
                rows.append(np.array(frame.x, np.int16))
            else:
                rows.append(np.array(frame.xf, np.float32))
    if not rows:
        raise DataError(f"Log {path}: no frames; expected at least one.")
    if all(row.dtype == np.int16 for row in rows):
        return np.stack(rows)
    # An int16 at the input's scale is the same number in real units, exactly.
    scale = np.float32(2.0**model.input_exponent)
    return np.stack([row * scale if row.dtype == np.int16 else row for row in rows])


def frame_rate_hz(bundle: Bundle) -> float:
    """Return how many frames per second the sensor of a bundle's model gives.

    Raises:
        BundleError: If the bundle does not say it.
    """
    return FrontEnd.load(bundle.file(FRONT_END)).frame_rate_hz
