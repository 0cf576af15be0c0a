"""What a model of sensor channels did not expect: frames less what its outputs said of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnn_edge.types import Array


def residuals(frames: Array, outputs: Array, offsets: Sequence[int]) -> Array:
    """Return the error of every output as it becomes known, frame by frame.

    At frame t a forecast (offset o > 0) is compared with the frame that has come, and a
    reconstruction (o <= 0) with the frame of before:
    ``x(t) - y(t - o)`` and ``x(t + o) - y(t)``.

    Args:
        frames: float (T, F); of a frame that holds a window of samples, the newest D stand last.
        outputs: float (T, len(offsets) * D), offset-major.
        offsets: Of the model.

    Returns:
        float64 (T, len(offsets) * D); 0 where nothing can be compared yet.
    """
    count, wide = len(frames), outputs.shape[1] // len(offsets)
    truth = frames[:, frames.shape[1] - wide :].astype(np.float64)
    found = np.zeros(outputs.shape)
    for k, offset in enumerate(offsets):
        own = slice(k * wide, (k + 1) * wide)
        past = min(abs(offset), count)
        if offset > 0:
            found[past:, own] = truth[past:] - outputs[: count - past, own]
        else:
            found[past:, own] = truth[: count - past] - outputs[past:, own]
    return found


def left_out_residuals(left_out: Array, offsets: Sequence[int]) -> Array:
    """Return which residuals do not count, because the sample that they are the error of does not.

    Args:
        left_out: bool (T, D), samples that do not count.
        offsets: Of the model.

    Returns:
        bool (T, len(offsets) * D).
    """
    parts = []
    for offset in offsets:
        moved = np.zeros_like(left_out)
        past = min(max(0, -offset), len(left_out))
        moved[past:] = left_out[: len(left_out) - past]
        parts.append(moved)
    return np.concatenate(parts, axis=1)
