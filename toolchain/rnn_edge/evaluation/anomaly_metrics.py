"""How good alarms are on labelled recordings.

Frames are counted as they are: no whole event counts as found by frames because one of them was
(no point adjustment), and an alarm is what a device would raise, with its least length and its
release.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.anomaly import ScoredRecording
from rnn_edge.evaluation.precision import average_precision
from rnn_edge.statistics import bootstrap_interval, poisson_interval
from rnn_edge.types import Array

DAY_S = 86_400.0


def anomaly_metrics(
    logic: AlarmLogic, recordings: Sequence[ScoredRecording], frame_rate_hz: float | None = None
) -> dict[str, Any]:
    """Return the quality of alarms on labelled recordings.

    Args:
        logic: When scores are alarms.
        recordings: Those without labels are left out.
        frame_rate_hz: Frames per second; None where times are not wanted.

    Returns:
        JSON values. Precision, recall and F1 count frames, without point adjustment; an event is
        an unbroken run of anomalous frames, found if any of its frames alarms, and an alarm that
        touches no event is a false one. Intervals resample whole recordings; that of false alarms
        per day is no narrower than their count allows.

    What cannot be known is None: without labels everything but the share of frames and the number
    of alarms, without an anomalous frame whatever is about finding one.
    """
    labelled = [r for r in recordings if r.anomalous is not None]
    if not labelled:
        return _unlabelled(logic, recordings)
    counts = alarm_counts(logic, labelled)
    tp, fp, fn, tn, found, events, false_runs = (int(v) for v in counts.sum(axis=0))
    scores = np.concatenate([r.scores for r in labelled])
    truth = np.concatenate([r.anomalous for r in labelled if r.anomalous is not None])
    ap = average_precision(scores, truth)
    rates = _false_alarms_per_day(counts, frame_rate_hz)
    if not events:
        return {
            **_unlabelled(logic, labelled),
            "is_labelled": True,
            "false_alarm_rate": fp / (fp + tn),
            **rates,
        }
    event_precision = found / (found + false_runs) if found + false_runs else 0.0
    event_recall = found / events if events else 0.0
    return {
        "is_labelled": True,
        "recordings": len(labelled),
        "samples": len(truth),
        "alarm_rate": (tp + fp) / len(truth),
        "anomalous": int(truth.sum()),
        "threshold": logic.threshold,
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / (tp + fn) if tp + fn else 0.0,
        "f1": _f1(tp, fp, fn),
        "f1_interval": list(bootstrap_interval(len(counts), lambda rows: f1_of(counts[rows, :3]))),
        "false_alarm_rate": fp / (fp + tn) if fp + tn else 0.0,
        "missing_alarm_rate": fn / (fn + tp) if fn + tp else 0.0,
        "auc_pr": None if np.isnan(ap) else ap,
        "events": events,
        "events_found": found,
        "false_alarm_runs": false_runs,
        "event_f1": _harmonic(event_precision, event_recall),
        **rates,
    }


def _false_alarms_per_day(counts: Array, frame_rate_hz: float | None) -> dict[str, Any]:
    """Return the rate of false alarms in the time that is normal, and its 95 % interval."""
    runs, normal = counts[:, 6], counts[:, 1] + counts[:, 3]
    if frame_rate_hz is None or not normal.sum():
        return {"false_alarms_per_day": None, "false_alarms_per_day_interval": None}
    per_day = frame_rate_hz * DAY_S

    def rate(rows: Array) -> float:
        return float(runs[rows].sum() * per_day / max(1, normal[rows].sum()))

    everything = np.arange(len(counts))
    low, high = bootstrap_interval(len(counts), rate)
    # Recordings that are all without one, or a single recording, do not vary; a count does.
    least, most = (per_day * v / normal.sum() for v in poisson_interval(int(runs.sum())))
    return {
        "false_alarms_per_day": rate(everything),
        "false_alarms_per_day_interval": [float(min(low, least)), float(max(high, most))],
    }


def _unlabelled(logic: AlarmLogic, recordings: Sequence[ScoredRecording]) -> dict[str, Any]:
    """Return what can be said where nothing is known to be anomalous."""
    alarms = [logic.alarms(r.scores) for r in recordings]
    frames = np.concatenate(alarms)
    unknown = dict.fromkeys(
        (
            "precision",
            "recall",
            "f1",
            "false_alarm_rate",
            "missing_alarm_rate",
            "auc_pr",
            "event_f1",
            "false_alarms_per_day",
            "false_alarms_per_day_interval",
        )
    )
    return {
        **unknown,
        "is_labelled": False,
        "recordings": len(recordings),
        "samples": len(frames),
        "alarm_rate": float(frames.mean()),
        "anomalous": 0,
        "threshold": logic.threshold,
        "f1_interval": None,
        "events": 0,
        "events_found": 0,
        "false_alarm_runs": sum(len(_runs(alarm)) for alarm in alarms),
    }


def alarm_counts(logic: AlarmLogic, recordings: Sequence[ScoredRecording]) -> Array:
    """Return what alarms are right and wrong in each labelled recording.

    Args:
        logic: When scores are alarms.
        recordings: Those without labels are left out.

    Returns:
        int64 (R, 7): frames rightly alarmed, wrongly alarmed, missed and rightly silent; events
        found, events, and alarm runs that touch no event.
    """
    rows = [_counts(r, logic) for r in recordings if r.anomalous is not None]
    return np.array(rows, np.int64).reshape(-1, 7)


def f1_of(counts: Array) -> float:
    """Return the F1 over recordings.

    Args:
        counts: int64 (R, 3), the first columns of `alarm_counts`.
    """
    tp, fp, fn = (int(v) for v in counts.sum(axis=0))
    return _f1(tp, fp, fn)


def _counts(recording: ScoredRecording, logic: AlarmLogic) -> tuple[int, ...]:
    if recording.anomalous is None:
        raise ValueError(f"{recording.recording_id} has no labels")
    truth, alarm = recording.anomalous, logic.alarms(recording.scores)
    events = _runs(truth)
    return (
        int((truth & alarm).sum()),
        int((~truth & alarm).sum()),
        int((truth & ~alarm).sum()),
        int((~truth & ~alarm).sum()),
        sum(bool(alarm[start:end].any()) for start, end in events),
        len(events),
        sum(not truth[start:end].any() for start, end in _runs(alarm)),
    )


def _runs(flags: Array) -> list[tuple[int, int]]:
    """Return the half-open ranges in which a flag is set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _f1(tp: int, fp: int, fn: int) -> float:
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
