import itertools

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.anomaly import ScoredRecording
from rnn_edge.evaluation.anomaly_metrics import alarm_counts, anomaly_metrics
from rnn_edge.evaluation.paired import (
    FEWEST_GROUPS,
    MOST_EXACT,
    compare_alarms,
    compare_clips,
    matched_interval,
    mcnemar_p_value,
    swap_p_value,
)


def right(text):
    return np.array([c == "1" for c in text])


def test_mcnemar_by_hand():
    # Of 8 pairs that changed, 1 or less: (1 + 8) / 256, and as much in the other tail.
    assert mcnemar_p_value(1, 7) == mcnemar_p_value(7, 1) == pytest.approx(18 / 256)
    assert mcnemar_p_value(0, 0) == 1.0
    assert mcnemar_p_value(5, 5) == 1.0
    assert mcnemar_p_value(0, 10) == 2 / 1024


def test_mcnemar_as_scipy_has_it():
    stats = pytest.importorskip("scipy.stats")
    for gained, lost in ((0, 1), (3, 17), (46, 31), (120, 85)):
        wanted = stats.binomtest(gained, gained + lost, 0.5).pvalue
        assert mcnemar_p_value(gained, lost) == pytest.approx(wanted, rel=1e-9)


def test_the_matched_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(200, [0.80, 0.08, 0.05, 0.07], 4000)
    inside = 0
    for _, gained, lost, _ in counts.tolist():
        low, high = matched_interval(gained, lost, 200)
        inside += low <= 0.08 - 0.05 <= high
    assert inside / 4000 == pytest.approx(0.95, abs=0.015)


def test_only_clips_on_which_models_differ_count():
    found = compare_clips(right("1110100"), right("1011100"))
    assert (found.gained, found.lost, found.pairs) == (1, 1, 7)
    assert found.before == found.after == 4 / 7
    assert found.difference == 0.0
    assert found.p_value == 1.0
    assert found.interval == pytest.approx((-found.interval[1], found.interval[1]))
    # The same shares, but no clip in common: as many changed as can.
    apart = compare_clips(right("1100"), right("0011"))
    assert (apart.gained, apart.lost) == (2, 2)
    assert apart.interval[1] > compare_clips(right("1100"), right("1100")).interval[1]


def test_a_difference_is_of_the_model_in_question():
    found = compare_clips(right("1" * 10), right("1" * 4 + "0" * 6))
    assert found.difference == pytest.approx(0.6)
    assert (found.gained, found.lost) == (6, 0)
    assert found.interval[0] > 0
    assert found.to_json()["p_value"] == 2 / 64


COUNTS = np.array([[50, 3, 9], [20, 0, 40], [0, 6, 0], [31, 2, 5], [12, 9, 3], [70, 1, 1]])


def f1(counts):
    tp, fp, fn = counts.sum(axis=0)
    return 2 * tp / (2 * tp + fp + fn)


def test_swaps_by_trying_all_of_them():
    other = COUNTS + np.array([[-8, 1, 8], [2, 0, -2], [0, 3, 0], [-6, 0, 6], [-1, 1, 1], [0] * 3])
    observed = abs(f1(COUNTS) - f1(other))
    as_far = []
    for swap in itertools.product((False, True), repeat=len(COUNTS)):
        chosen = np.array(swap)[:, None]
        one, two = np.where(chosen, other, COUNTS), np.where(chosen, COUNTS, other)
        as_far.append(abs(f1(one) - f1(two)) >= observed - 1e-12)
    assert 2 / 64 <= np.mean(as_far) < 1
    assert swap_p_value(COUNTS, other) == np.mean(as_far)


def test_random_swaps_come_near_to_all_of_them(monkeypatch):
    rng = np.random.default_rng(3)
    one = rng.integers(0, 60, (MOST_EXACT, 3))
    other = np.maximum(one + rng.integers(-9, 14, (MOST_EXACT, 3)), 0)
    exact = swap_p_value(one, other)
    monkeypatch.setattr("rnn_edge.evaluation.paired.MOST_EXACT", 0)
    assert swap_p_value(one, other) == pytest.approx(exact, abs=0.03)
    assert swap_p_value(one, one) == 1.0


def test_equal_detectors_do_not_differ_and_a_clear_one_does():
    same = compare_alarms(COUNTS, COUNTS)
    assert (same.difference, same.interval, same.p_value) == (0.0, (0.0, 0.0), 1.0)
    worse = COUNTS + np.array([-1, 1, 1]) * np.minimum(COUNTS[:, :1], 10)
    found = compare_alarms(COUNTS, worse)
    assert found.difference == pytest.approx(f1(COUNTS) - f1(worse))
    assert found.interval[0] > 0
    assert found.p_value < 0.1
    assert (found.gained, found.lost) == (None, None)


def test_a_few_recordings_say_nothing():
    found = compare_alarms(COUNTS[: FEWEST_GROUPS - 1], COUNTS[1:FEWEST_GROUPS])
    assert (found.interval, found.p_value) == (None, None)
    assert found.pairs == FEWEST_GROUPS - 1


@pytest.mark.parametrize("compare", [compare_clips, compare_alarms])
def test_other_material_is_refused(compare):
    with pytest.raises(DataError, match="of 3 and 2 results"):
        compare(np.ones((3, 3), bool), np.ones((2, 3), bool))
    with pytest.raises(DataError, match="of 0 and 0 results"):
        compare(np.ones((0, 3), bool), np.ones((0, 3), bool))


def test_counts_of_recordings_add_up_to_the_metrics():
    scores = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    truth = np.array([False, True, False, True, True])
    recordings = [
        ScoredRecording("a", scores, truth),
        ScoredRecording("unlabelled", scores, None),
        ScoredRecording("b", scores, ~truth),
    ]
    counts = alarm_counts(AlarmLogic(0.5), recordings)
    assert counts[:, :4].tolist() == [[2, 1, 1, 1], [1, 2, 1, 1]]
    metrics = anomaly_metrics(AlarmLogic(0.5), recordings)
    assert metrics["recordings"] == 2
    assert metrics["f1"] == f1(counts[:, :3])
    assert alarm_counts(AlarmLogic(0.5), recordings[1:2]).shape == (0, 7)
    assert anomaly_metrics(AlarmLogic(0.5), recordings[1:2])["f1_interval"] is None
