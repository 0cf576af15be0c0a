import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.evaluation import Detector, DetectorConfig, score_recordings
from rnn_edge.evaluation.alarms import AlarmLogic
from rnn_edge.evaluation.anomaly import ScoredRecording
from rnn_edge.evaluation.anomaly_metrics import anomaly_metrics
from rnn_edge.types.frames import FrameSequence


def silent(x):
    """A forecast of zero, so that the error of a frame is the frame."""
    return np.zeros_like(x)


def recording(values, name="r", split="validation", anomalous=None):
    frames = np.asarray(values, np.float32)
    if frames.ndim == 1:
        frames = frames[:, None]
    return FrameSequence(name, frames, -1, anomalous, split)


def noise(count, seed=0, channels=2):
    return recording(np.random.default_rng(seed).normal(size=(count, channels)), f"n{seed}")


SHARP = DetectorConfig(smoothing_frames=1e-9, quantile=1.0, warmup_frames=0, score_limit=1e9)


def test_the_forecast_of_a_frame_is_made_at_the_frame_before():
    seen = []

    def echo(x):
        seen.append(x.shape)
        return x  # forecasts that nothing changes

    x = [0.0, 0.0, 3.0, 3.0, 0.0]
    detector = Detector(SHARP, np.array([9.0]), 0.5)
    (scores,) = detector.scores(echo, [recording(x)])
    assert scores.tolist() == [0.0, 0.0, 1.0, 0.0, 1.0]
    assert seen == [(1, 5, 1)]


def test_a_narrower_forecast_is_of_the_last_columns():
    frames = np.array([[9.0, 0.0], [9.0, 2.0], [9.0, 0.0]])
    detector = Detector(SHARP, np.array([1.0]), 0.5)
    (scores,) = detector.scores(lambda x: np.zeros((*x.shape[:2], 1)), [recording(frames)])
    assert scores.tolist() == [0.0, 4.0, 0.0]


def test_smoothing_follows_its_closed_form():
    config = DetectorConfig(smoothing_frames=5.0, warmup_frames=0, score_limit=1e9)
    detector = Detector(config, np.array([1.0]), 1.0)
    (scores,) = detector.scores(silent, [recording(np.full(40, 2.0))])
    # The step response of a first-order lag to an error of 4.
    np.testing.assert_allclose(scores, 4.0 * (1.0 - np.exp(-np.arange(40) / 5.0)), rtol=1e-12)
    impulse = np.zeros(40)
    impulse[3] = 2.0
    (scores,) = detector.scores(silent, [recording(impulse)])
    decay = 4.0 * (1.0 - np.exp(-0.2)) * np.exp(-(np.arange(3, 40) - 3) / 5.0)
    np.testing.assert_allclose(scores[3:], decay, rtol=1e-12)
    assert not scores[:3].any()


def test_warm_up_holds_the_score_at_zero_and_one_channel_is_limited():
    config = DetectorConfig(smoothing_frames=1e-9, warmup_frames=4, score_limit=10.0)
    detector = Detector(config, np.array([1.0, 1.0]), 1.0)
    frames = np.zeros((9, 2))
    frames[:, 0] = 1e6
    (scores,) = detector.scores(silent, [recording(frames)])
    # Frame 0 has no forecast, four forecasts do not count; then 10 in one of two channels.
    assert scores.tolist() == [0.0] * 5 + [5.0] * 4


def test_variance_and_threshold_are_those_of_settled_validation_frames():
    config = DetectorConfig(smoothing_frames=3.0, quantile=0.9, margin=1.5, warmup_frames=6)
    normal = [noise(200, 1), noise(80, 2)]
    detector = Detector.fit(config, silent, normal)
    settled = np.concatenate([r.frames[7:].astype(float) for r in normal])
    np.testing.assert_allclose(detector.variance, np.square(settled).mean(axis=0))
    scores = np.concatenate([s[7:] for s in detector.scores(silent, normal)])
    assert detector.threshold == pytest.approx(1.5 * np.quantile(scores, 0.9))
    assert 1.0 < detector.threshold < 4.0


def test_a_perfect_forecast_does_not_divide_by_zero():
    detector = Detector.fit(DetectorConfig(), silent, [recording(np.zeros(50))])
    assert detector.variance.tolist() == [1e-6]
    assert detector.threshold == 0.0


def test_recordings_shorter_than_the_warm_up_do_not_count_but_are_forecast():
    config = DetectorConfig(warmup_frames=10)
    short, long = noise(11, 5), noise(100, 6)
    given = []

    def run(x):
        given.append(len(x))
        return silent(x)

    detector = Detector.fit(config, run, [short, long])
    # Stored forecasts of a teacher have a row for every recording.
    assert given == [2]
    alone = Detector.fit(config, silent, [long])
    np.testing.assert_array_equal(detector.variance, alone.variance)
    assert detector.threshold == alone.threshold


@pytest.mark.parametrize(
    ("normal", "most"), [([], 0), ([noise(11)], 11), ([noise(1), noise(11)], 11)]
)
def test_nothing_to_fit_on_is_refused(normal, most):
    with pytest.raises(
        DataError, match=f"longest validation recording has {most} frames; expected at least 12"
    ):
        Detector.fit(DetectorConfig(warmup_frames=10), silent, normal)


def test_scores_stay_with_their_recordings():
    flags = np.array([0, 1, 1], bool)
    pair = [recording(np.zeros(3), "a", "test", flags), recording(np.zeros(7), "b", "test")]
    found = score_recordings(Detector(SHARP, np.ones(1), 1.0), silent, pair)
    assert [(s.recording_id, len(s.scores)) for s in found] == [("a", 3), ("b", 7)]
    np.testing.assert_array_equal(found[0].anomalous, flags)
    assert found[1].anomalous is None
    (single,) = score_recordings(Detector(SHARP, np.ones(1), 1.0), silent, [recording([5.0])])
    assert single.scores.tolist() == [0.0]


def scored(alarms, truth, name="r"):
    flags = None if truth is None else np.array([int(c) for c in truth], bool)
    return ScoredRecording(name, np.array([float(c) for c in alarms]), flags)


def test_metrics_of_planted_alarms():
    # Three events: found in part, missed, found whole; alarms: one run before the first event,
    # one that touches the first event, one exact.
    truth = "00011100011000111100"
    alarm = "01000110000000111100"
    found = anomaly_metrics(AlarmLogic(0.5), [scored(alarm, truth)])
    tp, fp, fn, tn = 1 + 4, 1 + 1, 2 + 2, 9
    assert (found["samples"], found["anomalous"]) == (20, 9)
    assert found["precision"] == pytest.approx(tp / (tp + fp))
    assert found["recall"] == pytest.approx(tp / (tp + fn))
    assert found["f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert found["false_alarm_rate"] == pytest.approx(fp / (fp + tn))
    assert found["missing_alarm_rate"] == pytest.approx(fn / (fn + tp))
    assert (found["events"], found["events_found"], found["false_alarm_runs"]) == (3, 2, 1)
    assert found["event_f1"] == pytest.approx(2 / 3)  # precision 2/3, recall 2/3
    assert found["f1_interval"] == [found["f1"], found["f1"]]  # one recording


def test_an_alarm_that_reaches_into_an_event_is_not_a_false_one():
    found = anomaly_metrics(AlarmLogic(0.5), [scored("111000", "001100")])
    assert (found["events_found"], found["false_alarm_runs"]) == (1, 0)
    assert found["event_f1"] == 1.0
    assert found["precision"] == pytest.approx(1 / 3)


def test_events_do_not_cross_recordings_and_unlabelled_ones_do_not_count():
    parts = [scored("0001", "0001"), scored("1000", "1000"), scored("1111", None)]
    found = anomaly_metrics(AlarmLogic(0.5), parts)
    assert (found["events"], found["events_found"], found["samples"]) == (2, 2, 8)
    assert found["f1"] == found["auc_pr"] == 1.0


def test_a_score_at_the_threshold_is_no_alarm():
    assert anomaly_metrics(AlarmLogic(1.0), [scored("0110", "0110")])["recall"] == 0.0


@pytest.mark.parametrize(
    ("alarm", "truth", "f1", "far", "mar", "event_f1", "auc"),
    [
        ("0000", "0110", 0.0, 0.0, 1.0, 0.0, 0.5),
        ("1111", "1111", 1.0, 0.0, 0.0, 1.0, 1.0),
        ("0000", "0000", None, 0.0, None, None, None),
        ("1100", "0000", None, 0.5, None, None, None),
    ],
)
def test_metrics_at_the_edges(alarm, truth, f1, far, mar, event_f1, auc):
    found = anomaly_metrics(AlarmLogic(0.5), [scored(alarm, truth)])
    assert (found["f1"], found["false_alarm_rate"], found["missing_alarm_rate"]) == (f1, far, mar)
    assert (found["event_f1"], found["auc_pr"]) == (event_f1, auc)


def test_without_labels_only_alarms_are_counted():
    found = anomaly_metrics(AlarmLogic(0.5), [scored("001101", None)])
    assert not found["is_labelled"]
    assert (found["alarm_rate"], found["false_alarm_runs"], found["samples"]) == (0.5, 2, 6)
    unknown = ("f1", "precision", "recall", "auc_pr", "event_f1", "false_alarm_rate")
    assert all(found[name] is None for name in unknown)


def test_with_nothing_to_find_only_false_alarms_are_known():
    found = anomaly_metrics(AlarmLogic(0.5), [scored("001101", "000000")])
    assert found["is_labelled"]
    assert found["false_alarm_rate"] == 0.5
    assert found["f1"] is None
    assert found["missing_alarm_rate"] is None


def test_a_detector_comes_back_from_its_file(tmp_path):
    detector = Detector.fit(DetectorConfig(quantile=0.9), silent, [noise(300, 1)])
    detector.save(tmp_path / "detector.npz")
    again = Detector.load(tmp_path / "detector.npz")
    assert again.config == detector.config
    assert again.threshold == detector.threshold
    np.testing.assert_array_equal(again.variance, detector.variance)


def test_scores_without_a_channel_reach_the_threshold_as_often(tmp_path):
    rng = np.random.default_rng(3)
    # Channels that are wrong together, in bursts.
    common = rng.normal(0, 1, (4000, 1)) * (1 + 2 * (rng.random((80, 1)) < 0.2).repeat(50, axis=0))
    normal = recording(common + 0.3 * rng.normal(0, 1, (4000, 8)), "n", "validation")
    detector = Detector.fit(DetectorConfig(score="covariance"), silent, [normal])
    assert 0.1 < detector.scale_alone < 0.95
    found = detector.score(normal.frames.astype(float), np.tile(np.arange(8) == 3, (4000, 1)))
    assert 0.2 < (found > detector.threshold).mean() / 0.01 < 1.5
    detector.save(tmp_path / "detector.npz")
    assert Detector.load(tmp_path / "detector.npz").scale_alone == detector.scale_alone
    plain = Detector.fit(DetectorConfig(), silent, [normal])
    assert plain.scale_alone == 1.0


def test_test_material_does_not_move_the_threshold():
    detector = Detector.fit(DetectorConfig(), silent, [noise(300, 1)])
    threshold = detector.threshold
    wild = recording(np.full((50, 2), 100.0), "w", "test", np.ones(50, bool))
    (found,) = score_recordings(detector, silent, [wild])
    assert detector.threshold == threshold
    assert anomaly_metrics(AlarmLogic(threshold), [found])["recall"] > 0.7
