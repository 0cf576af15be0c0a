import numpy as np
import pytest
from random_models import Shape, float_model, quantized_model

from rnn_edge.evaluation import classify_clips, float_runner, integer_runner, keyword_metrics
from rnn_edge.evaluation.keyword import evaluate_keywords, speaker_interval
from rnn_edge.quantize import quantize_input
from rnn_edge.reference import FloatReference, IntegerReference
from rnn_edge.statistics import wilson_interval
from rnn_edge.types.frames import FrameSequence


def test_metrics_of_a_small_confusion():
    truth = np.array([0, 0, 0, 1, 1, 2])
    decided = np.array([0, 0, 1, 1, 0, 1])
    found = keyword_metrics(truth, decided, ["a", "b", "c", "absent"])
    assert found["confusion"] == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert found["clips"] == 6
    assert found["accuracy"] == 0.5
    assert found["accuracy_interval"] == list(wilson_interval(3, 6))
    a, b, c, absent = found["per_class"]
    assert (a["count"], a["recall"], a["precision"]) == (3, pytest.approx(2 / 3), 2 / 3)
    assert a["f1"] == pytest.approx(2 / 3)
    assert (b["recall"], b["precision"]) == (0.5, pytest.approx(1 / 3))
    assert b["f1"] == pytest.approx(0.4)
    assert (c["count"], c["recall"], c["precision"], c["f1"]) == (1, 0.0, 0.0, 0.0)
    assert a["recall_interval"] == list(wilson_interval(2, 3))
    # A class without clips says nothing about the model.
    assert (absent["count"], absent["recall_interval"]) == (0, [0.0, 1.0])
    assert found["macro_f1"] == pytest.approx((2 / 3 + 0.4 + 0) / 3)


SHAPE = Shape(("lstm",), (6,), inputs=4, outputs=5, gain=2.0, seed=5)


def clips(count=24):
    generator = np.random.default_rng(3)
    return [
        FrameSequence(
            f"c{k}",
            generator.normal(size=(int(generator.integers(1, 6)), 4)).astype(np.float32),
            k % 5,
            None,
            "test",
        )
        for k in range(count)
    ]


def by_hand(step, reset, heard, *, is_reset):
    reset()
    decided = []
    for clip in heard:
        if is_reset:
            reset()
        for frame in clip.frames:
            last = step(frame)
        decided.append(int(last.argmax()))
    return decided


def test_decisions_agree_with_running_clip_by_clip():
    model = float_model(SHAPE)
    quantized = quantized_model(model, -10)
    floating, integer = FloatReference(model), IntegerReference(quantized)
    heard = clips()
    for run, step, reset in (
        (float_runner(model), lambda f: floating.step(f[None])[0], floating.reset),
        (
            integer_runner(quantized),
            lambda f: integer.step(quantize_input(f[None]))[0],
            integer.reset,
        ),
    ):
        for is_reset in (True, False):
            wanted = by_hand(step, reset, heard, is_reset=is_reset)
            assert classify_clips(run, heard, reset=is_reset).tolist() == wanted


def test_a_model_with_memory_decides_otherwise_without_resets():
    run = float_runner(float_model(SHAPE))
    heard = clips()
    reset = classify_clips(run, heard, reset=True)
    unreset = classify_clips(run, heard, reset=False)
    assert (reset != unreset).any()
    assert reset[0] == unreset[0]
    both = evaluate_keywords(run, heard, list("abcde"))
    truth = np.array([c.label for c in heard])
    assert both["reset"] == keyword_metrics(truth, reset, list("abcde"))
    assert both["unreset"] == keyword_metrics(truth, unreset, list("abcde"))


def test_the_integer_runner_gives_real_units():
    model = float_model(SHAPE)
    quantized = quantized_model(model, -10)
    x = np.random.default_rng(1).normal(size=(3, 7, 4)).astype(np.float32)
    found = integer_runner(quantized)(x)
    exact = IntegerReference(quantized, 3).run(quantize_input(x)).outputs
    np.testing.assert_array_equal(found, exact * 2.0**quantized.output_exponent)
    assert np.abs(found - float_runner(model)(x)).max() < 0.1


def test_speakers_who_are_right_or_wrong_as_a_whole_tell_less_than_as_many_clips():
    speakers = [f"s{k // 20}" for k in range(400)]
    right = np.array([k // 20 % 4 != 0 for k in range(400)])
    decided = np.where(right, 0, 1)
    truth = np.zeros(400, np.int64)
    by_clip = keyword_metrics(truth, decided, ["a", "b"])["accuracy_interval"]
    by_speaker = keyword_metrics(truth, decided, ["a", "b"], speakers)["accuracy_interval"]
    assert by_speaker == list(speaker_interval(right, speakers))
    # Twenty speakers of whom five are wrong: binomial(20, 0.75) / 20 in its middle 95 %.
    np.testing.assert_allclose(by_speaker, [0.55, 0.90], atol=0.05)
    assert by_speaker[1] - by_speaker[0] > 3.0 * (by_clip[1] - by_clip[0])
    nobody = [f"s{k}" for k in range(400)]
    assert keyword_metrics(truth, decided, ["a", "b"], nobody)["accuracy_interval"] == by_clip


def test_who_speaks_is_read_from_the_names_of_clips():
    run = float_runner(float_model(SHAPE))
    heard = clips()
    named = [
        FrameSequence(f"a/p{k // 2}_nohash_{k}", c.frames, c.label, None, c.split)
        for k, c in enumerate(heard)
    ]
    plain = evaluate_keywords(run, heard, list("abcde"))["reset"]
    spoken = evaluate_keywords(run, named, list("abcde"))["reset"]
    assert spoken["accuracy"] == plain["accuracy"]
    assert spoken["accuracy_interval"] != plain["accuracy_interval"]
