"""What a forecast or a reconstruction was wrong by, once it is known.

The outputs of frame t stand for frames t + o, for every offset o, one offset behind the other. The
error of offset o at frame t is that of the sample of frame t + min(o, 0): a forecast, o >= 1, is
compared when its frame is there, a reconstruction, o <= 0, at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rnn_edge.types import Array


class ResidualMemory:
    """The last outputs and frames of a stream.

    Args:
        offsets: Frames that outputs stand for, relative to their own.
        channels: Of a forecast.
        shifts: Bits that frames and outputs are shifted left by, to the scale of errors.
    """

    def __init__(self, offsets: Sequence[int], channels: int, shifts: tuple[int, int]) -> None:
        self._offsets = tuple(offsets)
        self._channels = channels
        self._frame_shift, self._output_shift = shifts
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was before is zero, and counts."""
        forecasts, frames = max(0, *self._offsets), max(0, -min(self._offsets))
        self._outputs = np.zeros((forecasts, len(self._offsets) * self._channels), np.int64)
        self._frames = np.zeros((frames, self._channels), np.int64)
        self._left_out = np.zeros((frames, self._channels), bool)

    def update(self, x: Array, y: Array, left_out: Array) -> tuple[Array, Array]:
        """Return the errors of frames.

        Args:
            x: int64 (T, D), the newest sample of each channel.
            y: int64 (T, R).
            left_out: bool (T, D), channels that do not count.

        Returns:
            int64 (T, R), and which of them do not count, bool (T, R).
        """
        outputs = np.concatenate([self._outputs, y])
        frames = np.concatenate([self._frames, x])
        left = np.concatenate([self._left_out, left_out])
        errors, skipped = np.empty(y.shape, np.int64), np.empty(y.shape, bool)
        for k, offset in enumerate(self._offsets):
            own = slice(k * self._channels, (k + 1) * self._channels)
            made = len(self._outputs) - max(offset, 0)
            known = len(self._frames) + min(offset, 0)
            wanted = frames[known : known + len(x)] << self._frame_shift
            errors[:, own] = wanted - (outputs[made : made + len(x), own] << self._output_shift)
            skipped[:, own] = left[known : known + len(x)]
        self._outputs = outputs[len(x) :]
        self._frames, self._left_out = frames[len(x) :], left[len(x) :]
        return errors, skipped

    def memory(self) -> dict[str, Array]:
        """Return what is remembered of earlier frames, the oldest first."""
        return {
            "outputs": self._outputs.copy(),
            "frames": self._frames.copy(),
            "left_out": self._left_out.copy(),
        }

    def recall(self, memory: Mapping[str, Array]) -> None:
        """Go on from what `memory` returned; its shapes have been looked at."""
        self._outputs = memory["outputs"].astype(np.int64)
        self._frames = memory["frames"].astype(np.int64)
        self._left_out = memory["left_out"].astype(bool)
