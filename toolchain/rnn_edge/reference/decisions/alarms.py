"""Alarms in integers: the numbers of their rule.

The score is ``s += (take * (raw - s) + 2^30) >> 31`` of the sum of all shares (`shares`), of every
residual over its variance, or of the whitened residuals (`whitening`). Where a channel does not
count in a frame, what is left is taken over its variance. An alarm begins where s has been above
floor(threshold * 2^F) for so many frames on end, and ends where it has been at most its release for
so many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_edge.errors import ModelError
from rnn_edge.reference.decisions.keys import rule_key
from rnn_edge.reference.decisions.shares import ChannelNumbers, channel_numbers
from rnn_edge.reference.decisions.whitening import WhiteningNumbers, whitening_numbers
from rnn_edge.types import Array
from rnn_edge.types.offsets import NEXT_FRAME, lag_of

MOST_SHIFT = 14
"""Bits that the scales of frames and forecasts may lie apart: an error then has 30."""
SCORE_BITS = 31
KEEP_BITS = 31
MOST_OFFSET = 255
MOST_FRAMES = 65_535
"""Frames on end before an alarm begins or ends."""
MOST_CHANNELS = 253
"""The label of a sensor's fault is 2 + its channel."""


@dataclass(frozen=True)
class AlarmNumbers:
    """What a device needs to know to raise alarms.

    Attributes:
        channels: For each residual, its share over its variance.
        frame_shift: Bits that frames are shifted left by, to the scale of errors.
        forecast_shift: The same for forecasts.
        share_limit: Greatest share of a residual.
        take: Part of the difference that a score takes on with a frame, at 2^-31.
        warmup_frames: Frames that do not count, besides the first.
        fraction_bits: Scores are at 2^-this.
        threshold: Scores above it are alarms.
        release: Score up to which an alarm ends.
        offsets: Frames that the outputs stand for, relative to the newest; one behind the other.
        whitening: Of residuals that vary together; None where each stands for itself.
        least_frames: Above the threshold before an alarm begins.
        release_frames: At the release before it ends.
    """

    channels: tuple[ChannelNumbers, ...]
    frame_shift: int
    forecast_shift: int
    share_limit: int
    take: int
    warmup_frames: int
    fraction_bits: int
    threshold: int
    release: int
    offsets: tuple[int, ...] = NEXT_FRAME
    whitening: WhiteningNumbers | None = None
    least_frames: int = 1
    release_frames: int = 1

    @property
    def score_exponent(self) -> int:
        """Scores are at 2^this."""
        return -self.fraction_bits

    @property
    def channel_count(self) -> int:
        """Channels of a frame that are compared: those of one offset."""
        return len(self.channels) // len(self.offsets)

    @property
    def key(self) -> int:
        """What tells what a decision remembers from that of another rule; 32 bits."""
        return rule_key(
            "alarm of offsets",
            self.offsets,
            *self.channels,
            self.share_limit,
            self.take,
            self.fraction_bits,
            self.whitening,
            self.least_frames,
            self.release_frames,
        )


def alarm_numbers(
    variance: Array,
    exponents: tuple[int, int],
    smoothing_frames: float,
    threshold: float,
    warmup_frames: int,
    score_limit: float,
    release: float,
    *,
    offsets: Sequence[int] = NEXT_FRAME,
    whitening: Array | None = None,
    scale_alone: float = 1.0,
    least_frames: int = 1,
    release_frames: int = 1,
) -> AlarmNumbers:
    """Return the numbers of a rule for alarms.

    Args:
        variance: float (R,), of each residual, above 0; one offset behind the other.
        exponents: Scales of frames and of forecasts are 2^these.
        smoothing_frames: Time constant of the score.
        threshold: Scores above it are alarms.
        warmup_frames: First forecasts that do not count.
        score_limit: Greatest squared error of a residual, in units of its variance.
        release: Part of the threshold up to which an alarm ends, 0..1.
        offsets: Frames that the outputs stand for, relative to the newest.
        whitening: float (R, R), lower triangular, that makes residuals in real units ones of
            variance 1 that do not vary together; None scores each over its own variance.
        scale_alone: Factor of scores by variances, above 0.
        least_frames: Above the threshold, one after the other, before an alarm begins.
        release_frames: At the release, one after the other, before it ends.

    Raises:
        ModelError: If the integers of a device do not hold it.
    """
    least = min(exponents)
    frame_shift, forecast_shift = exponents[0] - least, exponents[1] - least
    if max(frame_shift, forecast_shift) > MOST_SHIFT:
        raise ModelError(
            f"Frames have scale 2^{exponents[0]}, forecasts 2^{exponents[1]}; a device compares "
            f"scales that are at most 2^{MOST_SHIFT} apart."
        )
    _check_times(offsets, len(variance), least_frames, release_frames)
    fraction_bits = SCORE_BITS - max(0, math.floor(math.log2(score_limit)) + 1)
    # A threshold of a few units would be another one than that of the evaluation.
    if fraction_bits < 0 or threshold * 2.0**fraction_bits < 64:
        raise ModelError(
            f"A threshold of {threshold:g} beside a limit of {score_limit:g}; scores of 31 bits "
            "hold no such two.",
            "set a smaller detector.score_limit",
        )
    share_limit = int(score_limit * 2.0**fraction_bits / len(variance))
    take = min((1 << KEEP_BITS) - 1, round(-math.expm1(-1.0 / smoothing_frames) * 2.0**KEEP_BITS))
    if take < 1:
        raise ModelError(f"A score smoothed over {smoothing_frames:g} frames never changes.")
    most_score = (1 << SCORE_BITS) - 1
    most_error = (1 << 15 + frame_shift) + (1 << 15 + forecast_shift)
    return AlarmNumbers(
        tuple(
            channel_numbers(
                float(each) / scale_alone, least, score_limit, fraction_bits, len(variance)
            )
            for each in variance
        ),
        frame_shift,
        forecast_shift,
        share_limit,
        take,
        max(warmup_frames, lag_of(offsets) - 1),
        fraction_bits,
        min(most_score, math.floor(threshold * 2.0**fraction_bits)),
        min(most_score, math.floor(threshold * release * 2.0**fraction_bits)),
        tuple(int(each) for each in offsets),
        None
        if whitening is None
        else whitening_numbers(whitening, variance, least, most_error, score_limit, fraction_bits),
        least_frames,
        release_frames,
    )


def _check_times(
    offsets: Sequence[int], residuals: int, least_frames: int, release_frames: int
) -> None:
    if not offsets or len(set(offsets)) != len(offsets) or max(map(abs, offsets)) > MOST_OFFSET:
        raise ModelError(
            f"Outputs for frames {list(offsets)}; a device takes different ones, at most "
            f"{MOST_OFFSET} away.",
            "set model.offsets",
        )
    if residuals % len(offsets):
        raise ModelError(
            f"{residuals} outputs for {len(offsets)} frames; expected as many for each of them."
        )
    if residuals // len(offsets) > MOST_CHANNELS:
        raise ModelError(
            f"{residuals // len(offsets)} channels; a device tells the faults of at most "
            f"{MOST_CHANNELS} apart."
        )
    for name, frames in (("least_frames", least_frames), ("release_frames", release_frames)):
        if not 1 <= frames <= MOST_FRAMES:
            raise ModelError(
                f"Alarms with {name} {frames:,}; a device holds 1 to {MOST_FRAMES:,}.",
                f"set detector.{name}",
            )
