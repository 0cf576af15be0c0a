"""What is wrong with the samples of every channel, and what is taken in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnn_edge.features.fixed_point.sensor_config import (
    MOST_COUNT,
    MOST_STUCK,
    NONE,
    IntegerWindowConfig,
)
from rnn_edge.features.fixed_point.sensor_flags import FAULT_MISSING, FAULT_RANGE, FAULT_STUCK
from rnn_edge.types import Array

_PARTS = ("previous", "held", "run", "missing", "outside", "good", "fault", "known")

INPUTS = "inputs"
"""What a stream remembers besides: its last features in integers."""

Health = dict[str, Array]
"""By name int64 (C,), or (T, C) after each of several samples: the last value that was there and
the value that is held, how often the value came on end, missing, out-of-range and good samples on
end, the causes of a fault, and whether there was a value at all."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Samples as they count.

    Attributes:
        values: int64 (T, C), from the centre, clipped; held where there was none.
        missing: bool (T, C).
        clipped: bool (T, C).
        after: How the channels are after each sample, (T, C) by name.
    """

    values: Array
    missing: Array
    clipped: Array
    after: Health


def healthy(channels: int) -> Health:
    """Return channels of which nothing is known."""
    return {name: np.zeros(channels, np.int64) for name in _PARTS}


def after_gap(health: Health) -> Health:
    """Return channels behind a gap: nothing is held; a fault and a value that stays remain."""
    kept = {name: health[name].copy() for name in ("previous", "run", "fault", "known")}
    return healthy(len(health["held"])) | kept


def health_of(memory: Mapping[str, Array], channels: int, features: int) -> tuple[Health, Array]:
    """Return what a stream remembered: how its channels are, and its last inputs int64 (features,).

    Raises:
        ValueError: If it is that of another front end.
    """
    if not memory:
        return healthy(channels), np.zeros(features, np.int64)
    shapes = dict.fromkeys(_PARTS, (channels,)) | {INPUTS: (features,)}
    if {name: values.shape for name, values in memory.items()} != shapes:
        raise ValueError("what another front end remembers of its channels")
    health = {name: memory[name].astype(np.int64) for name in _PARTS}
    return health, memory[INPUTS].astype(np.int64)


def judge(config: IntegerWindowConfig, health: Health, raw: Array) -> Judged:
    """Return what is taken for the next samples.

    Args:
        config: Of the channels.
        health: How they are before.
        raw: int32 (T, C).
    """
    found = [
        _judge_channel(config, k, {name: int(v[k]) for name, v in health.items()}, column)
        for k, column in enumerate(raw.T.astype(np.int64))
    ]
    values, missing, clipped, after = zip(*found, strict=True)
    return Judged(
        np.stack(values, axis=1),
        np.stack(missing, axis=1),
        np.stack(clipped, axis=1),
        {name: np.stack([each[name] for each in after], axis=1) for name in _PARTS},
    )


def _judge_channel(
    config: IntegerWindowConfig, channel: int, before: dict[str, int], raw: Array
) -> tuple[Array, Array, Array, Health]:
    is_missing = raw == NONE
    is_there = ~is_missing
    # Place of the newest sample that was there, at each; -1 for before these.
    newest = _newest(is_there)
    bounded = np.clip(raw, config.low[channel], config.high[channel])
    is_clipped = is_there & (bounded != raw)
    values = _held(bounded - config.centre[channel], newest, before["held"])
    previous = _held(raw, newest, before["previous"])
    stuck = config.stuck_samples[channel]
    there = raw[is_there]
    run = _held(_spread(_runs(there, before), is_there), newest, before["run"])
    outside = _held(
        _spread(_on_end(is_clipped[is_there], before["outside"]), is_there),
        newest,
        before["outside"],
    )
    is_stuck = is_there & (run >= stuck) if stuck else np.zeros(len(raw), np.bool_)
    missing = _on_end(is_missing, before["missing"])
    good = _on_end(is_there & ~is_clipped & ~is_stuck, before["good"])
    is_well = good >= config.fault_samples
    fault = np.zeros(len(raw), np.int64)
    for cause, has_failed in (
        (FAULT_MISSING, missing > config.hold_samples),
        (FAULT_STUCK, is_stuck),
        (FAULT_RANGE, is_there & (outside >= config.fault_samples)),
    ):
        fault |= _latched(has_failed, is_well, bool(before["fault"] & cause)) * cause
    known = np.where(newest >= 0, 1, before["known"])
    after = {
        "previous": previous,
        "held": values,
        "run": run,
        "missing": missing,
        "outside": outside,
        "good": good,
        "fault": fault,
        "known": known,
    }
    return values, is_missing, is_clipped, after


def _newest(is_there: Array) -> Array:
    places = np.where(is_there, np.arange(len(is_there)), -1)
    return np.maximum.accumulate(places) if len(places) else places


def _spread(values: Array, is_there: Array) -> Array:
    """Return the numbers of the samples that are there at their places, (T,)."""
    spread = np.zeros(len(is_there), np.int64)
    spread[is_there] = values
    return spread


def _held(values: Array, newest: Array, before: int) -> Array:
    """Return the newest value that was there."""
    if not len(newest):
        return np.zeros(0, np.int64)
    return np.where(newest >= 0, values[np.maximum(newest, 0)], before)


def _on_end(flags: Array, before: int) -> Array:
    """Return how many samples on end have a flag, up to each, at most 65,535."""
    places = np.arange(len(flags))
    last = _newest(~flags)
    counts = np.where(last >= 0, places - last, places + 1 + before)
    return np.minimum(counts, MOST_COUNT)


def _runs(raw: Array, before: dict[str, int]) -> Array:
    """Return how often each value has come on end, at most a million."""
    if not len(raw):
        return np.zeros(0, np.int64)
    is_first_new = not before["known"] or int(raw[0]) != before["previous"]
    is_new = np.concatenate([[is_first_new], raw[1:] != raw[:-1]])
    starts = _newest(is_new)
    places = np.arange(len(raw))
    counts = np.where(starts >= 0, places - starts + 1, places + 1 + before["run"])
    return np.minimum(counts, MOST_STUCK)


def _latched(is_set: Array, is_cleared: Array, before: bool) -> Array:
    """Return a flag that stays set until it is cleared; never both at once."""
    events = _newest(is_set | is_cleared)
    return np.where(events >= 0, is_set[np.maximum(events, 0)], before) if len(events) else is_set
