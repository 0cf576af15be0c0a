"""Offsets and the detector of a spec, and where the end of an alarm once stood."""

import pytest

from rnn_edge.errors import SpecError
from rnn_edge.spec import load_spec, resolved_toml

PUMP = """
[model]
name = "pump"
task = "anomaly"
hidden = 8
[data]
kind = "synthetic-machine"
"""
WORDS = """
[model]
name = "words"
task = "kws"
hidden = 8
[data]
kind = "synthetic-keywords"
"""


def load(tmp_path, text=PUMP, *overrides):
    (tmp_path / "spec.toml").write_text(text)
    return load_spec(tmp_path / "spec.toml", overrides)


def test_outputs_stand_for_the_next_frame_unless_said(tmp_path):
    assert load(tmp_path).model.offsets == (1,)
    assert load(tmp_path, PUMP, "model.offsets=[0,-1,-2]").model.offsets == (0, -1, -2)


@pytest.mark.parametrize(
    ("text", "override", "message"),
    [
        (PUMP, "model.offsets=[1,2,1]", r"offsets = \[1, 2, 1\]; expected 1 once"),
        (PUMP, "model.offsets=[65]", "from -64 to 64"),
        (PUMP, "model.offsets=[]", "model.offsets"),
        (WORDS, "model.offsets=[0]", 'offsets = .0. with task = "kws"; only task = "anomaly"'),
        (PUMP, "detector.false_alarms_per_day=2.0", 'false_alarms_per_day = 2.0 with method = "qu'),
        (PUMP, "detector.cluster_frames=9", 'only method = "peaks" reads it'),
        (PUMP, "detector.shrinkage=0.1", 'only score = "covariance" reads it'),
        (PUMP, "detector.least_frames=0", "detector.least_frames"),
        (PUMP, "detector.release=1.5", "detector.release"),
        (PUMP, "detector.score='both'", "detector.score"),
    ],
)
def test_what_means_nothing_is_refused(tmp_path, text, override, message):
    with pytest.raises(SpecError, match=message):
        load(tmp_path, text, override)


def test_a_rate_is_read_with_peaks(tmp_path):
    spec = load(tmp_path, PUMP, "detector.method='peaks'", "detector.false_alarms_per_day=0.1")
    assert (spec.detector.method, spec.detector.false_alarms_per_day) == ("peaks", 0.1)


def test_each_task_has_one_key_of_release(tmp_path):
    assert load(tmp_path).release == load(tmp_path, WORDS).release == 0.8
    assert load(tmp_path, PUMP, "detector.release=0.5").release == 0.5
    assert load(tmp_path, WORDS, "firmware.release=0.6").release == 0.6


def test_a_release_of_before_is_taken_over(tmp_path):
    spec = load(tmp_path, PUMP, "firmware.release=0.6")
    assert (spec.release, spec.detector.release, spec.firmware.release) == (0.6, 0.6, None)
    assert "release" not in resolved_toml(spec).split("[firmware]")[1].split("[")[0]
    same = load(tmp_path, PUMP, "firmware.release=0.6", "detector.release=0.6")
    assert resolved_toml(same) == resolved_toml(spec)
    with pytest.raises(SpecError, match=r"firmware.release = 0.6; expected detector.release"):
        load(tmp_path, PUMP, "firmware.release=0.6", "detector.release=0.5")
