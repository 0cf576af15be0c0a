"""When alarms begin and end, told frame by frame, and what is counted of them."""

import numpy as np
import pytest

from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.anomaly import NEXT_FRAME_FORMAT, ScoredRecording
from rnn_edge.evaluation.anomaly_metrics import anomaly_metrics
from rnn_edge.statistics import poisson_interval
from rnn_edge.types.archive import save_archive


def alarms(levels, **logic):
    """Alarms of scores in tenths of a threshold of 1: an alarm is above 10 and released by 8."""
    found = AlarmLogic(1.0, **logic).alarms(np.array([int(c, 16) for c in levels]) / 10.0)
    return "".join("01"[int(flag)] for flag in found)


@pytest.mark.parametrize(
    ("logic", "scores", "wanted"),
    [
        # At the threshold is not above it; at the release is released.
        ({}, "0abab0", "001010"),
        ({"release": 0.8}, "0b9b8b70", "01110100"),
        ({"release": 0.0}, "0b1110b1", "01111011"),
        ({"least_frames": 3}, "bb0bbbb0bb", "0000011000"),
        ({"least_frames": 2, "release": 0.8}, "bbaaa9bb8b", "0111111100"),
        ({"release": 0.8, "release_frames": 3}, "b88988877b", "1111110001"),
        ({"release": 0.8, "release_frames": 2}, "b8b8b88b0", "111111011"),
        ({"least_frames": 2, "release": 0.5, "release_frames": 2}, "bb55bb5b55bb", "011001111001"),
    ],
)
def test_an_alarm_begins_and_ends(logic, scores, wanted):
    assert alarms(scores, **logic) == wanted


def test_without_conditions_an_alarm_is_where_the_score_is_above():
    scores = np.random.default_rng(0).normal(size=500)
    assert (AlarmLogic(0.3).alarms(scores) == (scores > 0.3)).all()


def scored(name, scores, truth):
    flags = np.array([c == "1" for c in truth])
    return ScoredRecording(name, np.array([float(c) for c in scores]), flags)


def test_false_alarms_are_counted_in_the_time_that_is_normal():
    recordings = [
        scored("a", "0909000990", "0000000110"),
        scored("b", "0000000900", "1111100000"),
    ]
    # Three in 13 normal seconds; the one that meets an event is none.
    found = anomaly_metrics(AlarmLogic(5.0), recordings, 1.0)
    assert found["false_alarm_runs"] == 3
    assert found["false_alarms_per_day"] == pytest.approx(3 * 86_400 / 13)
    low, high = found["false_alarms_per_day_interval"]
    least, most = (v * 86_400 / 13 for v in poisson_interval(3))
    assert low <= least < found["false_alarms_per_day"] < most <= high


def test_none_seen_is_not_none_at_all():
    quiet = [scored(name, "0000", "0010") for name in "abc"]
    found = anomaly_metrics(AlarmLogic(5.0), quiet, 2.0)
    assert found["false_alarms_per_day"] == 0.0
    low, high = found["false_alarms_per_day_interval"]
    # Nine normal frames are 4.5 seconds; with 3.69 expected none is seen in 2.5 % of all cases.
    assert (low, high) == pytest.approx((0.0, 3.6889 * 86_400 / 4.5), rel=1e-4)
    assert anomaly_metrics(AlarmLogic(5.0), quiet)["false_alarms_per_day"] is None


def test_alarms_that_last_are_judged_as_a_device_raises_them():
    recording = scored("a", "9909990000", "0000110000")
    plain = anomaly_metrics(AlarmLogic(5.0), [recording], 1.0)
    lasting = anomaly_metrics(AlarmLogic(5.0, least_frames=3), [recording], 1.0)
    assert (plain["false_alarm_runs"], lasting["false_alarm_runs"]) == (1, 0)
    assert (plain["precision"], lasting["precision"]) == (2 / 5, 1.0)
    assert (plain["recall"], lasting["recall"]) == (1.0, 0.5)


def test_a_detector_of_before_is_read(tmp_path):
    config = {
        "smoothing_frames": 4.0,
        "quantile": 0.9,
        "margin": 2.0,
        "warmup_frames": 3,
        "score_limit": 50.0,
    }
    meta = {"format": NEXT_FRAME_FORMAT, "config": config, "threshold": 1.5}
    save_archive(tmp_path / "d.npz", meta, [("variance", np.array([1.0, 2.0]))])
    found = Detector.load(tmp_path / "d.npz")
    assert (found.offsets, found.whitening, found.tail) == ((1,), None, None)
    assert (found.config.score, found.config.method, found.config.margin) == (
        "variance", "quantile", 2.0,
    )  # fmt: skip
    logic = found.logic
    assert (logic.threshold, logic.release, logic.least_frames, logic.release_frames) == (
        1.5, 0.8, 1, 1,
    )  # fmt: skip
