"""The rule for keywords over many streams and many thresholds at once.

It decides with the bits of `rnn_edge.reference.decisions.IntegerRule`, which takes one stream frame
by frame; sums do not depend on thresholds, so that many of these share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnn_edge.fixedpoint.softmax import softmax
from rnn_edge.reference.decisions import KeywordNumbers
from rnn_edge.types import Array
from rnn_edge.types.decisions import NOTHING


@dataclass(frozen=True)
class Detection:
    """A keyword that began.

    Attributes:
        step: Number of the frame.
        label: Output of the keyword.
    """

    step: int
    label: int


def posteriors(numbers: KeywordNumbers, outputs: Array) -> Array:
    """Return what a rule adds up, int16 (..., C) at 2^-15, of outputs int16 (..., C)."""
    return softmax(outputs, numbers.exponent) if numbers.is_logits else outputs


def window_sums(probabilities: Array, frames: int) -> Array:
    """Return the sums over the last frames, int64 of the shape (T, ...) of the probabilities.

    Args:
        probabilities: Of a stream, or of some of its outputs; before the first frame they are 0.
        frames: At least 1.
    """
    total = np.cumsum(probabilities.astype(np.int64), axis=0)
    total[frames:] -= total[:-frames].copy()
    return total


def detections(
    rules: Sequence[KeywordNumbers], streams: Sequence[Array]
) -> list[list[list[Detection]]]:
    """Return what begins in each stream under each rule.

    Args:
        rules: That add up as many frames of the same keywords; thresholds, releases, least lengths
            and refractory times may differ.
        streams: Probabilities int16 (T, C) each, as from `posteriors`.

    Returns:
        By rule, by stream, in time order.
    """
    known = [k for k, each in enumerate(rules[0].keywords) if each is not None]
    frames = [each.frames for each in rules[0].keywords if each is not None]
    for rule in rules:
        if [each and each.frames for each in rule.keywords] != [
            each and each.frames for each in rules[0].keywords
        ]:
            raise ValueError("rules that add up other frames")
    lengths = [len(stream) for stream in streams]
    # Behind the end of a stream nothing is heard.
    sums = np.zeros((max(lengths), len(streams), len(known)), np.int64)
    for s, stream in enumerate(streams):
        for j, (k, count) in enumerate(zip(known, frames, strict=True)):
            sums[: len(stream), s, j] = window_sums(stream[:, k], count)
    found: list[list[list[Detection]]] = [[[] for _ in streams] for _ in rules]
    for step, r, s, j in _begun(rules, known, sums, np.array(frames)):
        if step < lengths[s]:
            found[r][s].append(Detection(step, known[j]))
    return found


def _begun(
    rules: Sequence[KeywordNumbers], known: Sequence[int], sums: Array, frames: Array
) -> list[tuple[int, int, int, int]]:
    """Return (step, rule, stream, keyword among the known) of everything that begins."""

    def own(name: str) -> Array:
        values = [[getattr(rule.keywords[k], name) for k in known] for rule in rules]
        return np.array(values, np.int64)[:, None, :]

    threshold, release, least, rest = map(
        own, ("threshold", "release", "least_frames", "refractory_frames")
    )
    shape = (len(rules), sums.shape[1], len(known))
    loud, mute = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    active = np.full(shape[:2], NOTHING)
    of_rule, of_stream = np.indices(shape[:2])
    found = []
    means = sums // frames
    for step in range(len(sums)):
        total = sums[step]
        loud = np.minimum(loud + 1, least) * (total >= threshold)
        heard = (loud == least) & (mute == 0)
        mute -= mute > 0
        if not heard.any() and not active.any():
            continue
        score = np.where(heard, means[step], -1)
        best = score.argmax(axis=2)
        label = np.where(heard.any(axis=2), best + 1, NOTHING)
        at = np.maximum(active - 1, 0)
        is_low = total[of_stream, at] < release[of_rule, 0, at]
        ends = (active != NOTHING) & (label != active) & ((label != NOTHING) | is_low)
        if ends.any():
            r, s = np.nonzero(ends)
            mute[r, s, at[r, s]] = rest[r, 0, at[r, s]]
            active[ends] = NOTHING
        begins = (active == NOTHING) & (label != NOTHING)
        if begins.any():
            r, s = np.nonzero(begins)
            active[begins] = label[begins]
            found += [(step, int(a), int(b), int(best[a, b])) for a, b in zip(r, s, strict=True)]
    return found
