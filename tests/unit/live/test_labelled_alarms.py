"""Alarms of a stream are counted as those of whole recordings are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.live.labelled import LabelledAlarms
from rnn_edge.streams.base import ANOMALOUS, NORMAL, UNLABELLED


def judged(alarms, labels, rate_hz=2.0):
    found = LabelledAlarms()
    for alarm, label in zip(alarms, labels, strict=True):
        found.add(is_alarm=bool(alarm), label=int(label))
    return found.to_json(rate_hz)


def runs(flags):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(flags, int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_counts_are_those_of_a_labelled_recording(frames):
    alarms = np.array([a for a, _ in frames])
    truth = np.array([t for _, t in frames])
    found = judged(alarms, np.where(truth, ANOMALOUS, NORMAL))
    assert found["normal_frames"] == (~truth).sum()
    assert found["false_frames"] == (alarms & ~truth).sum()
    assert found["right_frames"] == (alarms & truth).sum()
    assert found["events"] == len(runs(truth))
    assert found["events_found"] == sum(alarms[a:b].any() for a, b in runs(truth))
    assert found["false_alarms"] == sum(not truth[a:b].any() for a, b in runs(alarms))


def test_what_is_not_labelled_counts_neither_way():
    assert judged([1, 1, 0], [UNLABELLED] * 3) is None
    found = judged([1, 1, 0, 1], [UNLABELLED, UNLABELLED, NORMAL, NORMAL])
    assert (found["false_alarms"], found["false_frames"], found["normal_frames"]) == (1, 1, 2)
    rate = found["false_alarms_rate"]
    assert rate["per"] == "day"
    assert rate["value"] == 86_400.0
    assert rate["low"] < rate["value"] < rate["high"]


def test_without_a_normal_frame_there_is_no_rate():
    assert judged([1, 0], [ANOMALOUS] * 2)["false_alarms_rate"] is None
