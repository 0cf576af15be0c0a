"""Limits of every keyword for a wanted number of false accepts per hour.

Each keyword chooses the frames it adds up, its least length and its threshold on streams of the
validation part, at the lowest cost: words that are missed, other commands that are taken for it,
and, at a price that all keywords share, false accepts in sound without commands. The price is
raised until the rule as a whole keeps to the wanted rate, which is counted with the rule itself.
The refractory time is the shortest with which no word is heard twice more often than need be.

Limits that were chosen on a few minutes of speech suit these minutes: others are accepted falsely
more often. So the choice is made on each half of the speakers, too, and held against the other
half: there thresholds have to rise to keep to the rate. Those of the whole, which were chosen on
twice as much sound, rise by half of that: how much better a choice looks on what it was made on
than on anything else falls with the amount of it.

Source:
    Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning" (2009), section 7.4: the
    optimism of what is fitted falls as one over the number of samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rnn_edge.errors import DataError
from rnn_edge.evaluation.keyword_streams import detections, window_sums
from rnn_edge.evaluation.streaming import (
    TOLERANCE_S,
    FrameClock,
    HeardStream,
    Outcome,
    judge,
    together,
)
from rnn_edge.reference.decisions import (
    PROBABILITY_EXPONENT,
    KeywordLimits,
    KeywordNumbers,
    is_keyword,
    keyword_limits,
)
from rnn_edge.types import Array

WINDOWS_S = (0.1, 0.2, 0.3, 0.4, 0.5)
LEAST_LENGTHS_S = (0.02, 0.06, 0.12)
REFRACTORY_TIMES_S = (0.0, 0.2, 0.4, 0.8)
THRESHOLDS = (*(k / 50 for k in range(10, 48)), 0.96, 0.97, 0.98, 0.985, 0.99, 0.993, 0.996)
"""Mean probabilities that are tried."""
APART_S = 0.5
"""Sound above a threshold that is so close together is one false accept."""
PRICES = tuple(float(2.0**k) for k in np.arange(-8.0, 8.0, 0.5))
"""Of a false accept, in missed words."""
RISES = tuple(k / 8 for k in range(33))
"""Of thresholds, in log-odds."""
BOUNDS = (0.001, 0.9995)
"""Of the mean probability of a threshold that is moved."""
OF_THE_WHOLE = 0.5
"""Part of the rise of a choice on one half that one on both of them needs."""
SURELY = 2.0
"""Keywords that accept so many times too much by themselves do so together."""


@dataclass(frozen=True)
class CalibrationRequest:
    """What limits are wanted for.

    Attributes:
        labels: Names of the outputs.
        clock: When frames are complete.
        per_hour: Wanted false accepts per hour of sound without commands.
        release: Part of the threshold below which a detection ends.
    """

    labels: tuple[str, ...]
    clock: FrameClock
    per_hour: float
    release: float


@dataclass(frozen=True)
class Calibration:
    """What was found.

    Attributes:
        keywords: For each output; None for one that is never detected.
        rise: Of all thresholds, in log-odds, so that unseen speakers keep to the rate in the mean.
        commands: What became of the commands on the material of the calibration.
        background: The same of sound without commands.
    """

    keywords: tuple[KeywordLimits | None, ...]
    rise: float
    commands: Outcome
    background: Outcome

    def to_json(self) -> dict[str, Any]:
        """Return what was reached, for reports."""
        return {
            "rise_log_odds": self.rise,
            "commands": self.commands.to_json(),
            "background": self.background.to_json(),
        }


def calibrate(
    request: CalibrationRequest, rule: KeywordNumbers, halves: Sequence[Sequence[HeardStream]]
) -> Calibration:
    """Choose the limits of every keyword.

    Args:
        request: What is wanted.
        rule: Whose limits are replaced.
        halves: Streams with commands and without, of two halves of the speakers.

    Raises:
        DataError: If there is too little sound to tell the wanted rate, or no limits keep to it.
    """
    hours = min(_seconds(half) for half in halves) / 3600.0
    if request.per_hour * hours < 1.0:
        raise DataError(
            f"Calibration for {request.per_hour:g} false accepts per hour on {hours:.2g} hours of "
            "sound without commands: not even one would be allowed.",
            f"use at least {1.0 / request.per_hour:.3g} hours, or allow more",
        )
    every = [stream for half in halves for stream in half]
    chosen = _chosen(request, rule, every)
    of_halves = [_chosen(request, rule, half) for half in halves]
    rise = OF_THE_WHOLE * _needed_rise(request, of_halves, halves)
    rested = _with_rest(moved(chosen, rise), _with_commands(every), request.clock)
    return Calibration(
        rested.keywords,
        rise,
        _outcome(rested, _with_commands(every), request.clock),
        _outcome(rested, _without(every), request.clock),
    )


def moved(rule: KeywordNumbers, log_odds: float) -> KeywordNumbers:
    """Return a rule with the mean probabilities of all thresholds moved in log-odds."""

    def of(limits: KeywordLimits | None) -> KeywordLimits | None:
        if limits is None:
            return None
        full = limits.frames << -PROBABILITY_EXPONENT
        mean = min(max(limits.threshold / full, BOUNDS[0]), BOUNDS[1])
        odds = mean / (1.0 - mean) * math.exp(log_odds)
        release = limits.release / limits.threshold if limits.threshold else 1.0
        return keyword_limits(
            limits.frames,
            min(max(odds / (1.0 + odds), BOUNDS[0]), BOUNDS[1]),
            release,
            limits.least_frames,
            limits.refractory_frames,
        )

    return replace(rule, keywords=tuple(map(of, rule.keywords)))


def _needed_rise(
    request: CalibrationRequest,
    rules: Sequence[KeywordNumbers],
    halves: Sequence[Sequence[HeardStream]],
) -> float:
    """Return by how much thresholds rise until halves that a choice did not see keep to the rate.

    Args:
        request: What is wanted.
        rules: Chosen on each half.
        halves: The halves.
    """
    accepts = np.zeros(len(RISES), np.int64)
    seconds = 0.0
    for rule, half in zip(rules, reversed(halves), strict=True):
        unseen = _without(half)
        raised = [moved(rule, rise) for rise in RISES]
        for k, begun in enumerate(detections(raised, [s.probabilities for s in unseen])):
            accepts[k] += sum(map(len, begun))
        seconds += _seconds(half)
    fits = np.flatnonzero(3600.0 * accepts / seconds <= request.per_hour)
    if not fits.size:
        raise DataError(
            f"Calibration: limits that are chosen for {request.per_hour:g} false accepts per hour "
            f"on one half of the speakers have {3600.0 * accepts[-1] / seconds:.3g} or more on the "
            "other half.",
            "allow more, or give more other words and noise",
        )
    return RISES[int(fits[0])]


def _chosen(
    request: CalibrationRequest, rule: KeywordNumbers, streams: Sequence[HeardStream]
) -> KeywordNumbers:
    """Return the rule with what is best on some streams."""
    commands, background = _with_commands(streams), _without(streams)
    hours = _seconds(streams) / 3600.0
    tables = {
        k: _tables(request, k, commands, background)
        for k, label in enumerate(request.labels)
        if is_keyword(label)
    }
    before: KeywordNumbers | None = None
    found: Outcome | None = None
    for price in PRICES:
        cheapest = {k: min(table.best(price) for table in own) for k, own in tables.items()}
        limits = [cheapest[k].limits if k in cheapest else None for k in range(len(request.labels))]
        whole = replace(rule, keywords=tuple(limits))
        # What single keywords accept falsely is close to what the rule does.
        accepts = sum(each.accepts for each in cheapest.values())
        if whole == before or (accepts > SURELY * request.per_hour * hours and price < PRICES[-1]):
            continue
        before, found = whole, _outcome(whole, background, request.clock)
        if found.per_hour <= request.per_hour:
            return whole
    assert found is not None
    raise DataError(
        f"Calibration: no limits keep to {request.per_hour:g} false accepts per hour; the "
        f"strictest have {found.per_hour:.3g}.",
        "allow more, or train with more other words and noise",
    )


def _with_commands(streams: Sequence[HeardStream]) -> list[HeardStream]:
    return [stream for stream in streams if stream.words]


def _without(streams: Sequence[HeardStream]) -> list[HeardStream]:
    return [stream for stream in streams if not stream.words]


def _seconds(streams: Sequence[HeardStream]) -> float:
    """Return the length of sound without commands."""
    return sum(stream.seconds for stream in _without(streams))


@dataclass(frozen=True, eq=False)
class _Table:
    """Costs of one keyword with some frames and a least length.

    Attributes:
        limits: By threshold.
        wrong: int64, missed words and confusions, by threshold.
        accepts: int64, false accepts in sound without commands, by threshold.
    """

    limits: tuple[KeywordLimits, ...]
    wrong: Array
    accepts: Array

    def best(self, price: float) -> _Choice:
        """Return the cheapest threshold, of equally cheap ones the highest."""
        cost = self.wrong + price * self.accepts
        k = len(cost) - 1 - int(cost[::-1].argmin())
        limits = self.limits[k]
        least = -limits.threshold / limits.frames
        order = (float(cost[k]), limits.frames, least, limits.least_frames)
        return _Choice(order, int(self.accepts[k]), limits)


@dataclass(frozen=True, order=True)
class _Choice:
    """Limits of one keyword.

    Attributes:
        order: Cost first; then the shorter window, the higher threshold, the shorter length.
        accepts: False accepts in sound without commands.
        limits: The limits.
    """

    order: tuple[float, int, float, int]
    accepts: int = field(compare=False)
    limits: KeywordLimits = field(compare=False)


def _tables(
    request: CalibrationRequest,
    keyword: int,
    commands: Sequence[HeardStream],
    background: Sequence[HeardStream],
) -> list[_Table]:
    hop_s = request.clock.hop_s
    apart = max(1, round(APART_S / hop_s))
    found = []
    for window_s in WINDOWS_S:
        frames = max(1, round(window_s / hop_s))
        sums = [
            [window_sums(stream.probabilities[:, keyword], frames) for stream in part]
            for part in (commands, background)
        ]
        for least in sorted({max(1, round(length / hop_s)) for length in LEAST_LENGTHS_S}):
            held = [[_held(total, least) for total in part] for part in sums]
            own, other = _peaks(held[0], commands, keyword, request.clock)
            limits = tuple(
                keyword_limits(frames, threshold, request.release, least)
                for threshold in THRESHOLDS
            )
            thresholds = np.array([each.threshold for each in limits])
            missed = np.searchsorted(own, thresholds, "left")
            confused = len(other) - np.searchsorted(other, thresholds, "left")
            accepts = np.zeros(len(thresholds), np.int64)
            for total in held[1]:
                accepts += [_events(total >= each, apart) for each in thresholds]
            found.append(_Table(limits, missed + confused, accepts))
    return found


def _held(sums: Array, least: int) -> Array:
    """Return the least of the last so many sums; before the first one they are 0."""
    held = sums.copy()
    for back in range(1, least):
        held[back:] = np.minimum(held[back:], sums[:-back])
        held[:back] = 0
    return held


def _peaks(
    held: Sequence[Array], streams: Sequence[HeardStream], keyword: int, clock: FrameClock
) -> tuple[Array, Array]:
    """Return the largest sum while each own word and each other one may be heard, sorted."""
    peaks: tuple[list[int], list[int]] = ([], [])
    for total, stream in zip(held, streams, strict=True):
        for word in stream.words:
            span = clock.steps(word.start_s, word.end_s + TOLERANCE_S, len(total))
            peaks[word.label != keyword].append(int(total[span].max(initial=0)))
    return np.sort(np.array(peaks[0], np.int64)), np.sort(np.array(peaks[1], np.int64))


def _events(is_loud: Array, apart: int) -> int:
    places = np.flatnonzero(is_loud)
    return 0 if not places.size else 1 + int((np.diff(places) > apart).sum())


def _outcome(rule: KeywordNumbers, streams: Sequence[HeardStream], clock: FrameClock) -> Outcome:
    begun = detections([rule], [stream.probabilities for stream in streams])[0]
    return together(judge(s, d, clock) for s, d in zip(streams, begun, strict=True))


def _with_rest(
    rule: KeywordNumbers, streams: Sequence[HeardStream], clock: FrameClock
) -> KeywordNumbers:
    """Return the rule with the shortest refractory times that leave the fewest repetitions."""
    times = [round(rest_s / clock.hop_s) for rest_s in REFRACTORY_TIMES_S]
    rules = [_resting(rule, dict.fromkeys(range(len(rule.keywords)), rest)) for rest in times]
    begun = detections(rules, [stream.probabilities for stream in streams])
    repeated = []
    for of_rule in begun:
        outcome = together(judge(s, d, clock) for s, d in zip(streams, of_rule, strict=True))
        places = np.array(outcome.repeated, np.int64)
        repeated.append(np.bincount(places, minlength=len(rule.keywords)))
    fewest = np.argmin(repeated, axis=0)
    return _resting(rule, {k: times[int(choice)] for k, choice in enumerate(fewest)})


def _resting(rule: KeywordNumbers, rests: dict[int, int]) -> KeywordNumbers:
    return replace(
        rule,
        keywords=tuple(
            None if each is None else replace(each, refractory_frames=rests[k])
            for k, each in enumerate(rule.keywords)
        ),
    )
