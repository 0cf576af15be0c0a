"""A lane is the engine, the policy and the rule of evaluations, frame by frame, and can be kept."""

import numpy as np
import pytest
from live_bundles import SENSOR, WORDS, make_bundle

from rnn_edge.errors import SavedStateError
from rnn_edge.evaluation import Detector
from rnn_edge.evaluation.anomaly import DetectorConfig
from rnn_edge.evaluation.detections import AlarmRule, KeywordRule
from rnn_edge.input_drift import DriftRules, InputDrift, InputReference
from rnn_edge.live.opening import open_lane
from rnn_edge.live.saved import LiveState, read_state, set_aside, write_state


def outputs(count, wide, seed=0):
    return np.random.default_rng(seed).normal(0, 2, (count, wide)).astype(np.float32)


def keyword_rule():
    return KeywordRule(("yes", "no", "silence"), "linear", 4, 0.4)


def alarm_rule():
    return AlarmRule(Detector(DetectorConfig(3.0, warmup_frames=5), np.ones(3) * 2.0, 3.0))


@pytest.mark.parametrize("make", [keyword_rule, alarm_rule])
def test_a_rule_decides_frame_by_frame_as_in_blocks(make):
    frames, y = outputs(900, 3), outputs(900, 3, 1)
    whole = make().update(frames, y)
    rule = make()
    singles, detections, scores = zip(*map(rule.step, frames, y), strict=True)
    np.testing.assert_array_equal(singles, whole.frames)
    np.testing.assert_array_equal(detections, whole.detections)
    np.testing.assert_allclose(scores, whole.scores, rtol=0, atol=1e-12)
    assert 0 < np.count_nonzero(detections) < 900


@pytest.mark.parametrize("make", [keyword_rule, alarm_rule])
@pytest.mark.parametrize("at", [0, 1, 3, 500])
def test_a_rule_goes_on_bit_by_bit(make, at):
    frames, y = outputs(600, 3), outputs(600, 3, 1)
    rule, later = make(), make()
    for k in range(at):
        rule.step(frames[k], y[k])
    later.recall(rule.memory())
    for k in range(at, 600):
        assert rule.step(frames[k], y[k]) == later.step(frames[k], y[k])


def test_the_memory_of_another_rule_is_refused():
    with pytest.raises(ValueError, match="memory of another rule"):
        keyword_rule().recall(alarm_rule().memory())
    with pytest.raises(ValueError, match="memory of another rule"):
        alarm_rule().recall(keyword_rule().memory())


@pytest.mark.parametrize("at", [0, 30, 50, 260, 301])
def test_input_drift_goes_on_bit_by_bit(at):
    generator = np.random.default_rng(0)
    calibration = generator.integers(-3000, 3000, (500, 2)).astype(np.int16)
    reference = InputReference.fit([calibration], ("a", "b"), exponent=-12, frame_rate_hz=2.0)
    x = generator.integers(-1000, 5000, (700, 2)).astype(np.int16)
    drift, later = (InputDrift(reference, DriftRules(50)) for _ in range(2))
    drift.update(x[:at])
    later.recall(drift.memory())
    drift.update(x[at:])
    later.update(x[at:])
    assert drift.features() == later.features()
    assert drift.score == later.score > 0.25
    with pytest.raises(ValueError, match="of other rules"):
        InputDrift(reference, DriftRules(40)).recall(drift.memory())


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("lane") / "b")


def frames_of(lane, count=80):
    x = np.random.default_rng(2).normal(0, 1500, (count, lane.model.inputs))
    return x.astype(np.int16)


def saved_lane(bundle, tmp_path):
    lane = open_lane(bundle, "int8", tmp_path)
    for x in frames_of(lane):
        lane.step(x)
    return lane


def test_a_lane_goes_on_bit_by_bit_in_another_engine(bundle, tmp_path):
    lane = saved_lane(bundle, tmp_path)
    write_state(tmp_path / "s", lane.save(80, "source", 81))
    with open_lane(bundle, "c", tmp_path) as later:
        saved = read_state(tmp_path / "s")
        assert later.restore(saved) == []
        assert (saved.step, saved.source, saved.position) == (80, "source", 81)
        for x in frames_of(lane, 200):
            ours, theirs = lane.step(x), later.step(x)
            np.testing.assert_array_equal(ours.y, theirs.y)
            assert (ours.detection, ours.score) == (theirs.detection, theirs.score)
        assert lane.age == later.age


def quiet_stretches(x):
    """Count the stretches of three quiet frames or more, as docs/reset.md defines them."""
    quiet = np.abs(x.astype(int)).sum(axis=1) <= int(0.3 * 2 * 4096)
    lengths = np.diff(np.flatnonzero(~np.concatenate([[False], quiet, [False]]))) - 1
    return int((lengths >= 3).sum())


@pytest.mark.parametrize(
    "policy",
    ['"every"\nframes = 7', '"quiet"\nframes = 3\nlevel = 0.3', '"decay"\nshift = 3'],
)
def test_a_policy_acts_in_every_engine_and_is_kept(tmp_path, policy):
    text = f"{SENSOR}\n[reset]\npolicy = {policy}\n"
    made = make_bundle(tmp_path / "b", text)
    with open_lane(made, "int8", tmp_path) as lane, open_lane(made, "c", tmp_path) as other:
        x = frames_of(lane, 300)
        x[::11] //= 16
        x[1::11] //= 16
        x[2::11] //= 16
        resets = 0
        for k, frame in enumerate(x):
            if k == 100:
                saved = LiveState.unpack(lane.save(k, "", k).pack(), "s")
                assert other.restore(saved) == []
            ours = lane.step(frame)
            resets += ours.is_reset
            if k >= 100:
                theirs = other.step(frame)
                np.testing.assert_array_equal(ours.y, theirs.y)
                assert ours.is_reset == theirs.is_reset
        expected = {'"every"': 42, '"quiet"': quiet_stretches(x), '"decay"': 0}
        assert resets == expected[policy.split("\n")[0]] != 1


def test_a_float_engine_decides_too_but_is_not_kept(bundle, tmp_path):
    with open_lane(bundle, "float", tmp_path) as lane:
        for x in frames_of(lane):
            assert np.isfinite(lane.step(x).score)
        assert not lane.can_save


def test_the_state_of_another_model_is_refused(bundle, tmp_path):
    other = make_bundle(tmp_path / "other", seed=5)
    saved = saved_lane(bundle, tmp_path).save(80, "", 80)
    with open_lane(other, "int8", tmp_path) as lane:
        with pytest.raises(SavedStateError, match=r"of another model, pump .*; expected pump") as e:
            lane.restore(saved)
        assert "--new-state" in e.value.hint
        assert not any(value.any() for value in lane.hidden().values())


def test_another_rule_or_policy_is_told_and_the_state_goes_on(bundle, tmp_path):
    saved = saved_lane(bundle, tmp_path).save(80, "", 80)
    made = make_bundle(tmp_path / "b", f'{SENSOR}\n[reset]\npolicy = "every"\nframes = 900\n')
    with open_lane(made, "int8", tmp_path) as lane:
        assert lane.restore(saved) == ["the counter of reset policy never"]
        assert any(value.any() for value in lane.hidden().values())


def test_a_state_that_is_damaged_anywhere_is_refused(bundle, tmp_path):
    content = saved_lane(bundle, tmp_path).save(80, "", 80).pack()
    LiveState.unpack(content, "it")
    for k in range(0, len(content), 7):
        broken = bytearray(content)
        broken[k] ^= 1
        with pytest.raises(SavedStateError):
            LiveState.unpack(bytes(broken), "it")
    for length in (0, 3, 12, len(content) // 2, len(content) - 1):
        with pytest.raises(SavedStateError):
            LiveState.unpack(content[:length], "it")


def test_a_save_that_fails_leaves_the_old_state(bundle, tmp_path, monkeypatch):
    lane = saved_lane(bundle, tmp_path)
    path = tmp_path / "kept" / "s"
    path.parent.mkdir()
    write_state(path, lane.save(80, "", 80))
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_state(path, lane.save(81, "", 81))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_state_is_set_aside_under_a_free_name(tmp_path):
    for k in (1, 2):
        (tmp_path / "s").write_bytes(b"x")
        assert set_aside(tmp_path / "s").name == f"s.old{k}"


def test_labels_of_keywords_are_followed(tmp_path):
    made = make_bundle(tmp_path / "w", WORDS)
    with open_lane(made, "c", tmp_path) as lane:
        tracker = lane.tracker
        assert tracker.update(3, 0, 0.1) == []
        assert [e["event"] for e in tracker.update(4, 1, 0.5)] == ["begin"]
        assert tracker.update(5, 1, 0.9) == []
        end, begin = tracker.update(6, 2, 0.6)
        assert end == {
            "event": "end", "label": "yes", "step": 6, "began": 4, "frames": 2, "score": 0.9
        }  # fmt: skip
        assert (begin["event"], begin["label"]) == ("begin", "no")
        assert [e["label"] for e in tracker.update(7, 0, 0.0)] == ["no"]
        assert tracker.finish(8) == []
