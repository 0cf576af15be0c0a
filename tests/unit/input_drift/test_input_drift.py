"""Drifted inputs alarm; undrifted ones do not, however correlated they are."""

import tracemalloc

import numpy as np
import pytest
from autoregressive import autoregressive

from rnn_edge.errors import DataError
from rnn_edge.input_drift import DriftRules, InputDrift, InputReference

SCALE = 4096


def integers(values):
    return np.clip(np.rint(np.asarray(values) * SCALE), -32768, 32767).astype(np.int16)


def process(phi, steps, features, seed):
    return autoregressive(phi, steps, features, seed) * np.sqrt(1 - phi**2)


@pytest.fixture(scope="module")
def reference():
    x = integers(process(0.9, 60_000, 8, 99))
    names = [f"f{k}" for k in range(8)]
    return InputReference.fit(np.split(x, 60), names, exponent=-12, frame_rate_hz=1.0)


def watched(reference, x, **rules):
    drift = InputDrift(reference, DriftRules(**{"window": 1900, **rules}))
    drift.update(x)
    return drift


def drifted(drift):
    return [row.name for row in drift.features() if row.is_drifted]


SEEDS = 40


@pytest.mark.slow
@pytest.mark.parametrize("phi", [0.0, 0.9, 0.97])
def test_undrifted_inputs_do_not_alarm(reference, phi):
    """At most one seed in twenty, for streams that are more correlated than the calibration too."""
    wrong = [
        seed
        for seed in range(SEEDS)
        if drifted(watched(reference, integers(process(phi, 11_400, 8, seed))))
    ]
    assert len(wrong) <= 0.05 * SEEDS


def test_a_shifted_feature_alarms_and_no_other(reference):
    hit = 0
    others = 0
    for seed in range(SEEDS):
        x = process(0.9, 11_400, 8, seed)
        x[:, 3] += 1.0
        found = drifted(watched(reference, integers(x)))
        hit += "f3" in found
        others += found != ["f3"] and found != []
    assert hit >= 0.95 * SEEDS
    assert others <= 0.05 * SEEDS


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.full_like(x, 0.1),
        lambda x: 0.001 * x,
        lambda x: 3.0 * x,
        lambda x: np.full_like(x, 9.0),
        lambda x: np.where(x > 0, 1.0, -1.0),
    ],
    ids=["dead", "nearly dead", "spread", "saturated", "two levels"],
)
def test_other_changes_are_found_too(reference, change):
    x = process(0.9, 11_400, 8, 5)
    x[:, 2] = change(x[:, 2])
    drift = watched(reference, integers(x))
    assert drift.alarms == ("f2",)
    assert drift.score >= 0.25


def test_alarms_begin_and_end_with_the_drift(reference):
    x = process(0.9, 1900 * 20, 8, 7)
    x[1900 * 5 : 1900 * 12, 0] += 1.5
    drift = InputDrift(reference, DriftRules(1900))
    alarms = [window.alarms for part in np.split(integers(x), 200) for window in drift.update(part)]
    assert len(alarms) == 20
    on = [k for k, names in enumerate(alarms) if names]
    # Three windows of drift begin it; it ends when the last five hold fewer than three.
    assert on == list(range(7, 14))
    row = next(row for row in drift.features() if row.name == "f0")
    assert (row.alarms, row.first_alarm, row.is_alarmed, row.windows) == (1, 1900 * 8 - 1, False, 7)
    assert row.is_drifted
    assert drift.score == 0.0
    assert row.worst > 0.25


def test_single_windows_are_debounced(reference):
    x = process(0.9, 1900 * 12, 8, 8)
    for k in (1, 6, 11):
        x[1900 * k : 1900 * (k + 1), 0] += 2.0
    drift = watched(reference, integers(x))
    row = drift.features()[0]
    assert row.windows == 3
    assert row.alarms == 0
    at_once = watched(reference, integers(x), needed=1, among=1)
    assert at_once.features()[0].alarms == 3


def test_an_alarm_is_kept_between_both_limits(reference):
    x = process(0.9, 1900 * 16, 8, 9)
    x[1900 * 2 : 1900 * 6, 0] += 1.5
    x[1900 * 6 :, 0] += 0.8
    drift = InputDrift(reference, DriftRules(1900, 1, 1, on=1.2, off=0.1))
    windows = drift.update(integers(x))
    assert [w.psi[0] >= 1.2 for w in windows][6:] == [False] * 10
    assert all(w.alarms == ("f0",) for w in windows[2:])


def test_frames_come_in_any_pieces(reference):
    x = integers(process(0.9, 9000, 8, 3) + 0.7)
    whole = watched(reference, x)
    pieces = InputDrift(reference, DriftRules(1900))
    for row in np.split(x, [1, 2, 1899, 1900, 1901, 5701, 8000]):
        pieces.update(row)
    assert pieces.features() == whole.features()
    assert pieces.score == whole.score


def test_a_log_shorter_than_a_window_is_judged_as_a_whole(reference):
    x = integers(process(0.9, 1500, 8, 3) + np.eye(8)[4] * 1.5)
    drift = watched(reference, x)
    assert drift.windows == 0
    assert drifted(drift) == ["f4"]


def test_what_is_outside_or_saturated_is_counted(reference):
    x = integers(process(0.9, 4000, 8, 3))
    x[:1000, 1] = 32767
    row = next(row for row in watched(reference, x).features() if row.name == "f1")
    assert row.saturated == pytest.approx(0.25)
    assert row.outside == pytest.approx(0.25, abs=0.001)


def test_memory_does_not_grow(reference):
    drift = InputDrift(reference, DriftRules(500))
    x = integers(process(0.9, 2000, 8, 3))
    drift.update(x)
    tracemalloc.start()
    drift.update(x)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10):
        drift.update(x)
    assert tracemalloc.get_traced_memory()[0] - before < 20_000
    tracemalloc.stop()


def test_wrong_frames_and_rules_are_refused(reference):
    drift = InputDrift(reference)
    for x in (np.zeros((3, 8)), np.zeros((3, 7), np.int16), np.zeros(8, np.int16)):
        with pytest.raises(DataError, match="expected int16"):
            drift.update(x)
    with pytest.raises(DataError, match="no frame"):
        drift.features()
    for rules in ((1,), (100, 0), (100, 6, 5), (100, 3, 5, 0.1, 0.2), (100, 3, 5, 0.2, 0.1, 0.0)):
        with pytest.raises(DataError, match="Input drift"):
            DriftRules(*rules)


def test_the_window_fits_the_slowest_feature(reference):
    slow = InputReference.fit(
        [integers(process(0.999, 30_000, 2, 1))], ["a", "b"], exponent=-12, frame_rate_hz=1.0
    )
    quick = InputReference.fit(
        [integers(process(0.0, 3000, 2, 1))], ["a", "b"], exponent=-12, frame_rate_hz=1.0
    )
    assert DriftRules.fitting(slow).window == 5000
    assert DriftRules.fitting(quick).window == 500
    assert 1500 <= DriftRules.fitting(reference).window <= 2600
    assert DriftRules.fitting(reference, 123).window == 123
