"""How far the integers of an alarm are from its floating-point detector, on real recordings."""

from dataclasses import dataclass

import numpy as np
from skab_streams import EXPONENT, linear_outputs, sequences

from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.anomaly import DetectorConfig, first_scored
from rnn_edge.evaluation.detections import AlarmRule
from rnn_edge.evaluation.residuals import residuals
from rnn_edge.pipeline.device_app import detector_numbers
from rnn_edge.reference.decisions import IntegerRule
from rnn_edge.types.frames import padded

OFFSETS = {"next frame": (1,), "four ahead": (1, 2, 3, 4), "last eight": tuple(range(0, -8, -1))}


@dataclass(frozen=True)
class Accuracy:
    """Integers beside floating point.

    Attributes:
        frames: That were decided on.
        alarms: Share of them with an alarm, in floating point.
        differ: Frames that only one of both has in an alarm.
        events: Alarms that begin, in floating point and in integers.
        worst_near: Greatest relative error of the score from half the threshold to twice as much.
        worst: Greatest error of the score anywhere, in units of the threshold.
        median: Of the relative errors of all scores.
    """

    frames: int
    alarms: float
    differ: int
    events: tuple[int, int]
    worst_near: float
    worst: float
    median: float


def active_frames(rule, count):
    """Return at which frames an alarm is on, from what a rule says that changed."""
    edges = np.zeros(count + 1, np.int64)
    for change in rule.changes:
        edges[change.step] += 1 if change.has_begun else -1
    return edges.cumsum()[:count] > 0


def fitted(streams, offsets, config, outputs, exponent=EXPONENT):
    """Fit a detector on the validation part of streams."""
    chosen, normal = sequences(streams, "validation")
    known, _ = padded([outputs[k] * np.float32(2.0**exponent) for k in chosen])
    return Detector.fit(config, lambda x: known, normal, offsets)


def accuracy(streams, offsets, config: DetectorConfig, exponent=EXPONENT, outputs=None):
    """Decide on the test part of recordings in floating point and in integers."""
    if outputs is None:
        outputs = linear_outputs(streams, offsets, exponent)
    detector = fitted(streams, offsets, config, outputs, exponent)
    numbers = detector_numbers(detector, (streams[0].exponent, exponent))
    wanted, found, on, integer_on, events = [], [], [], [], np.zeros(2, np.int64)
    for stream, y in zip(streams, outputs, strict=True):
        if stream.split != "test":
            continue
        real = AlarmRule(detector).update(stream.real, y * 2.0**exponent)
        rule = IntegerRule(numbers)
        scores = rule.update(stream.x, y).scores * 2.0**numbers.score_exponent
        is_on = real.detections > 0
        wanted.append(real.scores)
        found.append(scores)
        on.append(is_on)
        integer_on.append(active_frames(rule, len(y)))
        events += (
            np.count_nonzero(np.diff(is_on.astype(int), prepend=0) > 0),
            sum(change.has_begun for change in rule.changes),
        )
    real, integer = np.concatenate(wanted), np.concatenate(found)
    alarms, integer_alarms = np.concatenate(on), np.concatenate(integer_on)
    threshold = detector.threshold
    error = np.abs(integer - real)
    near = (real > threshold / 2) & (real < 2 * threshold)
    scored = real > 0
    return Accuracy(
        len(real),
        float(alarms.mean()),
        int((alarms != integer_alarms).sum()),
        (int(events[0]), int(events[1])),
        float((error[near] / real[near]).max()),
        float(error.max() / threshold),
        float(np.median(error[scored] / real[scored])),
    )


def rates_without_a_channel(streams, offsets):
    """Return shares of normal frames above the threshold: with each channel left out, and whole."""
    outputs = linear_outputs(streams, offsets)
    detector = fitted(streams, offsets, DetectorConfig(score="covariance"), outputs)
    normal = [
        residuals(stream.real, y * 2.0**EXPONENT, offsets)
        for stream, y in zip(streams, outputs, strict=True)
        if stream.split == "validation"
    ]
    start = first_scored(detector.config, offsets)

    def rate(left_out):
        scores = [detector.score(e, np.broadcast_to(left_out, e.shape))[start:] for e in normal]
        return float((np.concatenate(scores) > detector.threshold).mean())

    channels = len(detector.variance) // len(offsets)
    places = np.arange(len(detector.variance)) % channels
    return np.array([rate(places == d) for d in range(channels)]), rate(places < 0)
