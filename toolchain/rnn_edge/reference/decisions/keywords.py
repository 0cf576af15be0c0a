"""Keywords in integers: the numbers of their rule.

Probabilities p at 2^-15 are added up over the last N frames. A keyword is heard where its sum has
been at least T for M frames, one after the other, and its last detection ended more than R frames
ago; of several that are heard the one with the greatest mean floor(sum / N) is detected, and of
equal ones the first. A detection ends where another keyword is detected, or where none is and its
own sum is below its release. Every keyword has N, T, M, R and a release of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnn_edge.errors import ModelError
from rnn_edge.reference.decisions.keys import rule_key
from rnn_edge.types import HeadKind

NO_KEYWORDS = ("unknown", "silence")
"""Labels that are never detected."""

PROBABILITY_EXPONENT = -15
MOST_WINDOW = 65_535
"""Frames whose probabilities have a sum of 31 bits."""
MOST_LABELS = 254
MOST_LEAST_FRAMES = 255
MOST_REFRACTORY_FRAMES = 65_535


@dataclass(frozen=True)
class KeywordLimits:
    """How one keyword is detected.

    Attributes:
        frames: That are added up, N, 1..65,535.
        threshold: Least sum that is heard, T, 0..N * 2^15.
        release: Sum below which a detection ends, 0..T.
        least_frames: At the threshold before it is heard, M, 1..255.
        refractory_frames: Behind its end, in which it is not heard again, R, 0..65,535.
    """

    frames: int
    threshold: int
    release: int
    least_frames: int = 1
    refractory_frames: int = 0


@dataclass(frozen=True)
class KeywordNumbers:
    """What a device needs to know to detect keywords.

    Attributes:
        is_logits: Whether the outputs have to be made probabilities.
        exponent: Scale of the outputs is 2^this.
        keywords: For each output; None for one that is never detected.
    """

    is_logits: bool
    exponent: int
    keywords: tuple[KeywordLimits | None, ...]

    @property
    def window_frames(self) -> int:
        """Frames whose probabilities are kept."""
        return max((each.frames for each in self.keywords if each is not None), default=1)

    @property
    def threshold_score(self) -> int:
        """Least mean probability that any detection has."""
        means = [-(-each.threshold // each.frames) for each in self.keywords if each is not None]
        return min(means, default=1 << -PROBABILITY_EXPONENT)

    @property
    def score_exponent(self) -> int:
        """Scores are means at 2^this."""
        return PROBABILITY_EXPONENT

    @property
    def key(self) -> int:
        """What tells what a decision remembers from that of another rule; 32 bits."""
        remembered = [
            None if each is None else (each.frames, each.least_frames, each.refractory_frames)
            for each in self.keywords
        ]
        return rule_key("keywords", self.is_logits, self.exponent, *remembered)


def keyword_numbers(
    labels: Sequence[str],
    head_kind: HeadKind,
    exponent: int,
    frames: int,
    threshold: float,
    release: float,
) -> KeywordNumbers:
    """Return the numbers of a rule that treats all keywords alike.

    Args:
        labels: Names of the outputs.
        head_kind: "softmax" where the outputs are probabilities already.
        exponent: Scale of the outputs is 2^this.
        frames: That are averaged.
        threshold: Least mean probability of a detection, 0..1.
        release: Part of the threshold below which a detection ends, 0..1.

    Raises:
        ModelError: If the integers of a device do not hold it.
    """
    if not 1 <= frames <= MOST_WINDOW:
        raise ModelError(
            f"Detections of keywords over {frames} frames; a device averages 1 to {MOST_WINDOW}.",
            "set drift.smoothing_frames",
        )
    limits = keyword_limits(frames, threshold, release)
    return keyword_rule(head_kind, exponent, [limits if is_keyword(n) else None for n in labels])


def is_keyword(label: str) -> bool:
    """Return whether a label is ever detected."""
    return label.lower() not in NO_KEYWORDS


def keyword_limits(
    frames: int,
    threshold: float,
    release: float,
    least_frames: int = 1,
    refractory_frames: int = 0,
) -> KeywordLimits:
    """Return the integers of one keyword.

    Args:
        frames: That are averaged.
        threshold: Least mean probability of a detection, 0..1.
        release: Part of the threshold below which a detection ends, 0..1.
        least_frames: At the threshold before a detection begins.
        refractory_frames: Behind a detection, in which it does not begin again.
    """
    exact = threshold * frames * 2.0**-PROBABILITY_EXPONENT
    least = math.ceil(exact)
    return KeywordLimits(
        frames, least, min(least, math.ceil(exact * release)), least_frames, refractory_frames
    )


def keyword_rule(
    head_kind: HeadKind, exponent: int, keywords: Sequence[KeywordLimits | None]
) -> KeywordNumbers:
    """Return the numbers of a rule that knows every keyword's own limits.

    Args:
        head_kind: "softmax" where the outputs are probabilities already.
        exponent: Scale of the outputs is 2^this.
        keywords: For each output; None for one that is never detected.

    Raises:
        ModelError: If the integers of a device do not hold it.
    """
    if len(keywords) > MOST_LABELS:
        raise ModelError(f"{len(keywords)} labels; a device tells at most {MOST_LABELS} apart.")
    is_logits = head_kind != "softmax"
    if is_logits and not -15 <= exponent <= 0:
        raise ModelError(
            f"Outputs have scale 2^{exponent}; a device takes the softmax of 2^-15 to 2^0.",
            'set model.head = "softmax"',
        )
    for each in keywords:
        if each is not None:
            _check_limits(each)
    return KeywordNumbers(is_logits, exponent, tuple(keywords))


def _check_limits(limits: KeywordLimits) -> None:
    ranges = {
        "frames": (1, MOST_WINDOW),
        "least_frames": (1, MOST_LEAST_FRAMES),
        "refractory_frames": (0, MOST_REFRACTORY_FRAMES),
        "threshold": (0, limits.frames << -PROBABILITY_EXPONENT),
        "release": (0, limits.threshold),
    }
    for name, (low, high) in ranges.items():
        value = getattr(limits, name)
        if not low <= value <= high:
            raise ModelError(f"Keyword with {name} {value:,}; a device holds {low:,} to {high:,}.")
