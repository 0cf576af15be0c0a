"""Machines that are commissioned one by one, and which detector is to be used."""

import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.evaluation.anomaly import Detector, DetectorConfig
from rnn_edge.evaluation.baselines.base import all_baselines
from rnn_edge.evaluation.baselines.comparison import compare_baselines, recommendation
from rnn_edge.evaluation.baselines.judging import JudgedBaseline
from rnn_edge.evaluation.commissioning import score_commissioned
from rnn_edge.features.commissioning import commission_front_end
from rnn_edge.features.front_end import FrontEnd
from rnn_edge.features.normaliser import Normaliser
from rnn_edge.features.windows import WindowConfig
from rnn_edge.pipeline.commissioning import STRETCH, commissioned_frames
from rnn_edge.types import SensorDataset, SensorRecording
from rnn_edge.types.frames import FrameSequence

CONFIG = DetectorConfig(smoothing_frames=2.0, quantile=0.99, margin=1.5)


def noise(count, size=1.0, seed=1):
    return size * np.random.default_rng(seed).standard_normal((count, 2))


def sequence(frames, name="one", count=0, anomalous=None):
    return FrameSequence(name, frames, -1, anomalous, "test", None, count)


def zeros(frames):
    return np.zeros_like(frames)


def detector():
    return Detector.fit(CONFIG, zeros, [sequence(noise(500))], (0,))


def test_each_recording_is_scored_by_its_own_threshold_after_its_own_frames():
    loud, quiet = noise(400, 5.0, 2), noise(400, 0.2, 3)
    truth = np.zeros(400, bool)
    truth[300:] = True
    loud[300:] *= 4.0
    quiet[300:] *= 4.0
    both = [sequence(loud, "loud", 200, truth), sequence(quiet, "quiet", 200, truth)]
    logic, scored = score_commissioned(detector(), zeros, both, 1.0)
    assert logic.threshold == 1.0
    for each in scored:
        assert len(each.scores) == len(each.anomalous) == 200
        assert each.anomalous.sum() == 100
        assert (each.scores[:100] > 1.0).mean() < 0.1
        assert (each.scores[105:] > 1.0).mean() > 0.9
    # By the threshold of the validation part, the loud one always alarms and the quiet one never.
    plain = [sequence(loud, "loud"), sequence(quiet, "quiet")]
    logic, (first, second) = score_commissioned(detector(), zeros, plain, 1.0)
    assert (first.scores[50:] > logic.threshold).all()
    assert not (second.scores > logic.threshold).any()


def test_a_threshold_of_its_own_is_that_of_its_first_frames_alone():
    frames = noise(300, seed=4)
    changed = frames.copy()
    changed[150:] += 100.0
    found = [
        score_commissioned(detector(), zeros, [sequence(x, count=150)], 1.0)[1][0].scores
        for x in (frames, changed)
    ]
    own = Detector.fit(CONFIG, zeros, [sequence(frames[:150])], (0,))
    np.testing.assert_array_equal(
        found[0], own.scores(zeros, [sequence(frames)])[0][150:] / own.threshold
    )
    assert (found[1] > found[0]).all()


def test_too_few_frames_leave_the_detector_of_the_validation_part():
    frames = noise(100, seed=4)
    whole = detector()
    (scored,) = score_commissioned(whole, zeros, [sequence(frames, count=15)], 1.0)[1]
    expected = whole.scores(zeros, [sequence(frames)])[0][15:] / whole.threshold
    np.testing.assert_array_equal(scored.scores, expected)


def features(scale=1.0):
    normaliser = Normaliser(np.zeros(2, np.float32), np.full(2, scale, np.float32))
    return FrontEnd(WindowConfig(), ("a", "b"), 1.0, normaliser)


def test_a_front_end_takes_mean_and_deviation_of_the_machine():
    samples = np.array([10.0, -3.0]) + noise(200) * np.array([2.0, 0.5])
    own = commission_front_end(features(), samples).normaliser
    np.testing.assert_allclose(own.mean, samples.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(own.scale, samples.std(axis=0), rtol=1e-5)


def test_a_channel_that_stood_still_keeps_the_deviation_of_training():
    samples = noise(200)
    samples[:, 1] = 7.0
    own = commission_front_end(features(scale=4.0), samples).normaliser
    assert own.scale[1] == 4.0
    assert own.mean[1] == 7.0


def test_too_few_samples_commission_nothing():
    with pytest.raises(DataError, match="29 complete frames"):
        commission_front_end(features(), noise(29))


def dataset(*recordings):
    rows = [SensorRecording(*each) for each in recordings]
    return SensorDataset("made", True, 1.0, ("a", "b"), tuple(rows))


def test_parts_of_one_table_share_the_normaliser_of_its_first_samples():
    values = noise(300, seed=5) + 20.0
    truth = np.zeros(100, bool)
    truth[50:] = True
    made = commissioned_frames(
        dataset(
            ("x#train", values[:150], None, "train"),
            ("x#validation", values[150:200], None, "validation"),
            ("x#test", values[200:], truth, "test"),
        ),
        features(),
        120,
    )
    train, validation, test = made.sequences
    own = commission_front_end(features(), values[:120])
    np.testing.assert_array_equal(train.frames, own.frames(values[:150]))
    np.testing.assert_array_equal(validation.frames, own.frames(values[150:200]))
    assert test.commissioning == 120
    assert not test.anomalous[:120].any()
    np.testing.assert_array_equal(test.anomalous[120:], truth)
    whole = np.concatenate([values[:120], values[200:]])
    np.testing.assert_array_equal(test.frames, own.frames(whole))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (1, "Commissioning with 1 samples; expected at least 31"),
        (300, "Commissioning with 300 samples: the longest test recording has 200"),
    ],
)
def test_commissioning_that_would_do_nothing_is_refused(samples, message):
    recordings = dataset(
        ("normal", noise(400, seed=5), None, "train"), ("x", noise(200, seed=6), None, "test")
    )
    with pytest.raises(DataError, match=message):
        commissioned_frames(recordings, features(), samples)


def test_more_samples_than_any_machine_has_are_refused():
    # The parts of one table are one machine: 150 normal samples, whatever the test part holds.
    values = noise(400, seed=5)
    parts = dataset(
        ("pump#0", values[:100], None, "train"),
        ("pump#1", values[100:150], None, "validation"),
        ("pump#2", values[150:], None, "test"),
    )
    assert commissioned_frames(parts, features(), 150).sequences
    with pytest.raises(DataError, match="with 151 samples: no machine has more than 150"):
        commissioned_frames(parts, features(), 151)


def test_a_recording_for_a_trial_begins_with_what_it_is_commissioned_with():
    values = noise(200, seed=5) + 20.0
    (test,) = commissioned_frames(dataset(("x", values, None, "test")), features(), 80).sequences
    assert test.commissioning == 80
    own = commission_front_end(features(), values[:80])
    np.testing.assert_array_equal(test.frames, own.frames(values))


def test_a_long_normal_recording_is_cut_into_stretches_of_their_own():
    drift = np.linspace(0.0, 50.0, 500)[:, None] + noise(500, seed=6)
    made = commissioned_frames(dataset(("long", drift, None, "train")), features(), 100)
    starts = range(0, 500 - STRETCH * 100 + 1, 100)
    assert [s.sequence_id for s in made.sequences] == [f"long+{k}" for k in range(len(starts))]
    for one, start in zip(made.sequences, starts, strict=True):
        own = commission_front_end(features(), drift[start : start + 100])
        np.testing.assert_array_equal(one.frames, own.frames(drift[start : start + STRETCH * 100]))


MODEL = {"f1": 0.5, "event_f1": 0.5, "auc_pr": 0.5}


def test_a_baseline_that_is_better_in_most_is_recommended_with_its_figures():
    found = recommendation(
        MODEL,
        {
            "z-score": {"f1": 0.6, "event_f1": 0.4, "auc_pr": 0.7},
            "ewma": {"f1": 0.55, "event_f1": 0.4, "auc_pr": 0.55},
            "last value": {"f1": 0.9, "event_f1": 0.1, "auc_pr": 0.1},
        },
    )
    assert found["recommended"] == "z-score"
    assert found["wins"] == {
        "f1": ["z-score", "ewma", "last value"], "auc_pr": ["z-score", "ewma"]
    }  # fmt: skip
    assert "A baseline wins: z-score" in found["advice"]
    assert "F1 by frame 60.0 % against 50.0 %" in found["advice"]


def test_a_baseline_that_is_better_in_one_figure_is_named_for_it():
    found = recommendation(MODEL, {"ewma": {"f1": 0.4, "event_f1": 0.6, "auc_pr": 0.4}})
    assert found["recommended"] is None
    assert "one is in F1 by event (ewma 60.0 %, the model 50.0 %)" in found["advice"]


def test_a_model_that_is_better_in_all_is_said_to_be():
    found = recommendation(MODEL, {"ewma": {"f1": 0.4, "event_f1": None, "auc_pr": 0.49}})
    assert found == {
        "wins": {},
        "recommended": None,
        "advice": "The model is better than every baseline in F1 by frame, F1 by event, AUC-PR.",
    }


def test_what_is_printed_the_same_is_equal():
    found = recommendation(MODEL, {"ewma": {"f1": 0.4, "event_f1": None, "auc_pr": 0.50004}})
    assert (found["wins"], found["recommended"]) == ({}, None)
    assert found["advice"] == (
        "The model is better than every baseline in F1 by frame, F1 by event; one equals it in "
        "AUC-PR (ewma, 50.0 %)."
    )


def test_a_baseline_that_wins_says_in_what_it_does_not():
    found = recommendation(MODEL, {"ewma": {"f1": 0.6, "event_f1": 0.5, "auc_pr": 0.7}})
    assert "F1 by frame 60.0 % against 50.0 %, F1 by event 50.0 % of both" in found["advice"]
    found = recommendation(MODEL, {"ewma": {"f1": 0.6, "event_f1": None, "auc_pr": 0.7}})
    assert "F1 by event none against 50.0 %" in found["advice"]


@pytest.mark.parametrize(
    ("f1", "words"),
    [(0.5, "A tie: ewma is equal to the model (F1 by frame 50.0 % of both"),
     (0.6, "A tie: ewma is worse than the model in no figure (F1 by frame 60.0 % against 50.0 %")],
)  # fmt: skip
def test_of_a_tie_the_simpler_is_recommended(f1, words):
    rows = {"z-score": {**MODEL, "auc_pr": 0.4}, "ewma": {**MODEL, "f1": f1}}
    found = recommendation(MODEL, rows)
    assert found["recommended"] == "ewma"
    assert words in found["advice"]
    assert "use ewma, which needs no network and is simpler" in found["advice"]


def test_several_baselines_that_equal_a_model_each_in_another_figure_do_not_win():
    names = ("a", "b", "c")
    rows = {
        name: {**dict.fromkeys(MODEL, 0.1), key: 0.5}
        for name, key in zip(names, MODEL, strict=True)
    }
    found = recommendation(MODEL, rows)
    assert found["recommended"] is None
    assert "No baseline is better than the model in any figure" in found["advice"]


def test_without_labels_nothing_is_recommended():
    unknown = dict.fromkeys(MODEL)
    assert "No anomaly is labelled" in recommendation(unknown, {"ewma": unknown})["advice"]
    assert "no baseline" in recommendation(MODEL, {})["advice"]


def test_baselines_are_commissioned_as_the_model_is():
    truth = np.zeros(300, bool)
    truth[200:] = True
    frames = noise(300, 5.0, 7) + 40.0
    frames[200:] += 30.0
    kind = all_baselines()["z-score"]
    judged = JudgedBaseline.fit(kind, CONFIG, [sequence(noise(300))], [sequence(noise(300))], 1.0)
    rows = {}
    for count in (0, 150):
        recordings = [sequence(frames, count=count, anomalous=truth)]
        found = compare_baselines([judged], recordings, {**MODEL, "f1": 0.5}, 1.0)
        rows[count] = found["rows"][0]["metrics"]
        assert not [line for line in found["left_out"] if line.startswith("z-score")]
    assert rows[0]["false_alarm_rate"] > 0.9, "far from what the baseline was fitted on"
    assert rows[150]["false_alarm_rate"] < 0.1
    assert rows[150]["recall"] > 0.9


def test_a_machine_that_stood_still_has_a_threshold_too():
    frames = np.zeros((200, 2))
    frames[150:] = 3.0
    logic, (scored,) = score_commissioned(detector(), zeros, [sequence(frames, count=100)], 1.0)
    alarms = logic.alarms(scored.scores)
    assert not alarms[:50].any()
    assert alarms[50:].all()


@pytest.mark.parametrize(("of_baseline", "is_told"), [(212.3, True), (2.0, False), (None, False)])
def test_a_recommended_baseline_with_more_false_alarms_is_told_with_them(of_baseline, is_told):
    better = {"f1": 0.6, "event_f1": 0.4, "auc_pr": 0.7, "false_alarms_per_day": of_baseline}
    found = recommendation(MODEL | {"false_alarms_per_day": 2.0}, {"pca t2+q": better})
    assert found["recommended"] == "pca t2+q"
    told = " But it has 212 false alarms a day where the model has 2: "
    assert (told in found["advice"]) is is_told
    assert is_told or found["advice"].endswith("or change the model.")
