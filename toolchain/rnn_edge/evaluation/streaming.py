"""What is heard in continuous sound: misses, false accepts per hour, and delay."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_edge.evaluation.keyword_streams import Detection
from rnn_edge.statistics import wilson_interval
from rnn_edge.types import Array

TOLERANCE_S = 0.75
"""Behind the end of a word in which its detection may begin; smoothing takes time."""


@dataclass(frozen=True)
class FrameClock:
    """When frames are complete.

    Attributes:
        hop_s: Between two frames.
        window_s: Sound under a frame.
    """

    hop_s: float
    window_s: float

    def time_s(self, step: int) -> float:
        """Return when the last sample of a frame is there; decisions are not made before."""
        return step * self.hop_s + self.window_s

    def steps(self, start_s: float, end_s: float, count: int) -> slice:
        """Return the frames of ``count`` that are complete within a time."""
        first = math.ceil((start_s - self.window_s) / self.hop_s - 1e-9)
        last = math.floor((end_s - self.window_s) / self.hop_s + 1e-9)
        return slice(min(count, max(0, first)), min(count, max(0, last + 1)))


@dataclass(frozen=True)
class TrueWord:
    """A word that was spoken.

    Attributes:
        label: Output of the keyword.
        start_s: Since the stream began.
        end_s: The same.
    """

    label: int
    start_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class HeardStream:
    """A stream as a model heard it.

    Attributes:
        bed: What it is made of: "noise" or "speech".
        snr_db: Of its words; None of a stream without any.
        probabilities: int16 (T, C) at 2^-15.
        words: In time order.
        seconds: Length of the sound.
    """

    bed: str
    snr_db: float | None
    probabilities: Array
    words: tuple[TrueWord, ...]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What became of the words and the detections of some streams.

    Attributes:
        seconds: Length of the streams.
        labels: Of the words, one each.
        delays_s: From the end of each word to its detection; NaN of one that was missed.
        confused: Labels of detections while another word was spoken.
        repeated: Labels of further detections of a word.
        elsewhere: Labels of detections where no word was.
    """

    seconds: float
    labels: tuple[int, ...]
    delays_s: tuple[float, ...]
    confused: tuple[int, ...]
    repeated: tuple[int, ...]
    elsewhere: tuple[int, ...]

    @property
    def missed(self) -> int:
        """Words without a detection."""
        return sum(map(math.isnan, self.delays_s))

    @property
    def false_accepts(self) -> int:
        """Detections of what was not said."""
        return len(self.confused) + len(self.repeated) + len(self.elsewhere)

    @property
    def per_hour(self) -> float:
        """False accepts per hour."""
        return 3600.0 * self.false_accepts / self.seconds

    def to_json(self) -> dict[str, Any]:
        """Return plain values for reports."""
        found = np.array([d for d in self.delays_s if not math.isnan(d)])
        words = len(self.labels)
        low, high = poisson_interval(self.false_accepts)
        hours = self.seconds / 3600.0
        return {
            "hours": hours,
            "words": words,
            "missed": self.missed,
            "miss_rate": self.missed / words if words else None,
            "miss_rate_interval": list(wilson_interval(self.missed, words)) if words else None,
            "false_accepts": {
                "confused": len(self.confused),
                "repeated": len(self.repeated),
                "elsewhere": len(self.elsewhere),
            },
            "false_accepts_per_hour": self.per_hour,
            "false_accepts_per_hour_interval": [low / hours, high / hours],
            "delay_median_s": float(np.median(found)) if found.size else None,
            "delay_p95_s": float(np.quantile(found, 0.95)) if found.size else None,
        }


def judge(stream: HeardStream, begun: Sequence[Detection], clock: FrameClock) -> Outcome:
    """Hold the detections of a stream against its words.

    A word is heard by the first detection of its keyword that begins between the word's start and
    `TOLERANCE_S` behind its end. Every other detection is a false accept.

    Args:
        stream: The stream.
        begun: What began in it, in time order.
        clock: When frames are complete.
    """
    delays = [math.nan] * len(stream.words)
    wrong: dict[str, list[int]] = {"confused": [], "repeated": [], "elsewhere": []}
    for detection in begun:
        at_s = clock.time_s(detection.step)
        near = [
            k
            for k, word in enumerate(stream.words)
            if word.start_s <= at_s <= word.end_s + TOLERANCE_S
        ]
        own = [k for k in near if stream.words[k].label == detection.label]
        first = next((k for k in own if math.isnan(delays[k])), None)
        if first is not None:
            delays[first] = at_s - stream.words[first].end_s
        else:
            kind = "repeated" if own else "confused" if near else "elsewhere"
            wrong[kind].append(detection.label)
    labels = tuple(word.label for word in stream.words)
    return Outcome(stream.seconds, labels, tuple(delays), *(tuple(wrong[kind]) for kind in wrong))


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome of several streams as one."""
    every = list(outcomes)

    def joined(name: str) -> tuple[Any, ...]:
        return tuple(value for each in every for value in getattr(each, name))

    names = ("labels", "delays_s", "confused", "repeated", "elsewhere")
    return Outcome(sum(each.seconds for each in every), *map(joined, names))


def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of the mean of a Poisson variable that was seen once.

    Args:
        count: What was seen.
        confidence: 0..1.

    Source: Garwood 1936: the means at which so few or so many are as rare as the half of what is
        left of the confidence.
    """
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if count == 0 else _mean_at(count - 1, 1.0 - tail)
    return low, _mean_at(count, tail)


def _mean_at(count: int, probability: float) -> float:
    """Return the mean at which at most ``count`` have a probability, by bisection."""
    low, high = 0.0, 10.0 + 2.0 * count + 10.0 * math.sqrt(count + 1.0)
    for _ in range(80):
        middle = (low + high) / 2.0
        if _at_most(count, middle) > probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def _at_most(count: int, mean: float) -> float:
    if mean == 0.0:
        return 1.0
    logs = [k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1)]
    return min(1.0, math.fsum(map(math.exp, logs)))
