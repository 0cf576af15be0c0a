"""Keywords in integers: the C has the bits of the reference, which follows the float rule."""

import numpy as np
import pytest
from c_models import Recipe, build
from decision_programs import RESTORE, SETTLE, expect, probe

from rnn_edge.errors import ModelError
from rnn_edge.evaluation.detections import KeywordRule
from rnn_edge.reference.decisions import (
    IntegerRule,
    KeywordLimits,
    keyword_limits,
    keyword_numbers,
    keyword_rule,
)

LABELS = ("yes", "unknown", "no", "Silence", "go")
FRAMES = 4000


def restoring(count, every):
    """Commands that save, forget and restore after so many frames, again and again."""
    return np.where(np.arange(1, count + 1) % every == 0, RESTORE, 0)


def output_exponent(outputs):
    return build(Recipe(inputs=4, outputs=outputs, name="decided")).output_exponent


def outputs_of(rng, count, width):
    """Logits that stay with one label for a while, and extremes."""
    y = rng.normal(0, 600, (count, width))
    y[np.arange(count), np.repeat(rng.integers(0, width, count // 20 + 1), 20)[:count]] += 1500
    y = np.clip(y, -32768, 32767).astype(np.int16)
    hit = rng.random(count) < 0.05
    y[hit] = rng.choice(np.array([-32768, 0, 32767], np.int16), (int(hit.sum()), width))
    return y


@pytest.mark.parametrize("head", ["linear", "softmax"])
def test_keywords_have_the_bits_of_the_reference(head, tmp_path):
    rng = np.random.default_rng(3)
    exponent = output_exponent(5)
    numbers = keyword_numbers(LABELS, head, exponent, 7, 0.4, 0.5)
    binary = probe(numbers, 4, 5, tmp_path)
    x = rng.integers(-32768, 32768, (FRAMES, 4)).astype(np.int16)
    y = outputs_of(rng, FRAMES, 5)
    if head == "softmax":
        y = (rng.dirichlet(np.full(5, 0.3), FRAMES) * 32767).astype(np.int16)
    rule = expect(binary, numbers, x, y)
    assert len(rule.changes) > 50
    assert {change.label for change in rule.changes} <= {1, 3, 5}
    expect(binary, numbers, x, y, commands=restoring(FRAMES, 13))


def own_limits():
    """Every keyword with other numbers; the longest window is not the first one."""
    return (
        keyword_limits(5, 0.35, 0.6, 3, 11),
        None,
        keyword_limits(9, 0.5, 1.0, 1, 40),
        None,
        keyword_limits(2, 0.8, 0.2, 6, 0),
    )


@pytest.mark.parametrize("head", ["linear", "softmax"])
def test_keywords_with_limits_of_their_own_have_the_bits_of_the_reference(head, tmp_path):
    rng = np.random.default_rng(13)
    numbers = keyword_rule(head, output_exponent(5), own_limits())
    assert numbers.window_frames == 9
    binary = probe(numbers, 4, 5, tmp_path)
    x = rng.integers(-32768, 32768, (FRAMES, 4)).astype(np.int16)
    y = outputs_of(rng, FRAMES, 5)
    if head == "softmax":
        y = (rng.dirichlet(np.full(5, 0.2), FRAMES // 6 + 1) * 32767).astype(np.int16)
        y = np.repeat(y, 6, axis=0)[:FRAMES]
    rule = expect(binary, numbers, x, y)
    begun = [change.label for change in rule.changes if change.has_begun]
    assert set(begun) == {1, 3, 5}
    assert min(map(begun.count, (1, 3, 5))) > 5
    expect(binary, numbers, x, y, commands=restoring(FRAMES, 7))


def test_a_gap_forgets_what_was_heard_and_leaves_what_has_to_rest(tmp_path):
    rng = np.random.default_rng(21)
    numbers = keyword_rule("linear", output_exponent(5), own_limits())
    binary = probe(numbers, 4, 5, tmp_path)
    x, y = np.zeros((FRAMES, 4), np.int16), outputs_of(rng, FRAMES, 5)
    plain = expect(binary, numbers, x, y)
    gaps = expect(binary, numbers, x, y, commands=(rng.random(FRAMES) < 0.02) * SETTLE)
    assert len(gaps.changes) > 50
    assert gaps.changes != plain.changes


def test_keywords_follow_the_rule_of_the_evaluation():
    rng = np.random.default_rng(8)
    y = outputs_of(rng, 20_000, 5)
    numbers = keyword_numbers(LABELS, "linear", -9, 15, 0.5, 0.8)
    found = IntegerRule(numbers).update(y, y)
    wanted = KeywordRule(LABELS, "linear", 15, 0.5).update(y, y * 2.0**-9)
    np.testing.assert_array_equal(found.frames, wanted.frames)
    # Where they differ the mean is as good as the threshold.
    differ = found.detections != wanted.detections
    assert differ.mean() < 1e-3
    assert np.abs(wanted.scores[differ] - 0.5).max(initial=0.0) < 1e-3
    np.testing.assert_allclose(found.scores * 2.0**-15, wanted.scores, atol=1e-3)


def test_a_detection_that_wavers_is_one():
    numbers = keyword_numbers(("go", "stop", "silence"), "softmax", -15, 1, 0.5, 0.5)
    y = np.zeros((7, 3), np.int16)
    y[:, 0] = [20000, 10000, 20000, 9000, 8000, 3000, 20000]
    y[6, 1] = 30000
    rule = IntegerRule(numbers)
    rule.update(y, y)
    changes = [(c.step, c.has_begun, c.label) for c in rule.changes]
    assert changes == [(0, True, 1), (4, False, 1), (6, True, 2)]


def changes_of(limits, loud):
    """When a keyword begins and ends whose probability is 30000 where it is loud, else 0."""
    rule = IntegerRule(keyword_rule("softmax", -15, (limits, None)))
    y = np.zeros((len(loud), 2), np.int16)
    y[:, 0] = np.array(loud) * 30000
    rule.update(y, y)
    return [(change.step, change.has_begun) for change in rule.changes]


def test_a_detection_waits_for_its_least_length():
    limits = KeywordLimits(1, 20000, 10000, least_frames=3)
    assert changes_of(limits, [1, 1, 0, 1, 1, 1, 1, 0]) == [(5, True), (7, False)]


def test_a_keyword_is_not_heard_while_it_is_refractory():
    limits = KeywordLimits(1, 20000, 10000, refractory_frames=3)
    # It ended with frame 2; frames 3 to 5 do not count, whatever is loud in them.
    assert changes_of(limits, [1, 1, 0, 1, 0, 1, 1, 0]) == [
        (0, True),
        (2, False),
        (6, True),
        (7, False),
    ]


def test_another_keyword_is_heard_meanwhile():
    own = KeywordLimits(1, 20000, 10000, refractory_frames=9)
    rule = IntegerRule(keyword_rule("softmax", -15, (own, own)))
    y = np.zeros((4, 2), np.int16)
    y[[0, 2], 0] = y[3, 1] = 30000
    rule.update(y, y)
    assert [(c.step, c.has_begun, c.label) for c in rule.changes] == [
        (0, True, 1),
        (1, False, 1),
        (3, True, 2),
    ]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: keyword_rule("softmax", -15, [KeywordLimits(4, 9, 9, 0)]), "least_frames 0"),
        (lambda: keyword_rule("softmax", -15, [KeywordLimits(4, 9, 10)]), "release 10"),
        (lambda: keyword_rule("softmax", -15, [KeywordLimits(1, 32769, 0)]), "threshold 32,769"),
        (
            lambda: keyword_rule("softmax", -15, [KeywordLimits(4, 9, 9, 1, 65_536)]),
            "refractory_frames 65,536",
        ),
        (lambda: keyword_numbers(("a",), "linear", 1, 5, 0.5, 1.0), "scale 2\\^1"),
        (lambda: keyword_numbers(("a",), "linear", 0, 70_000, 0.5, 1.0), "70000 frames"),
        (lambda: keyword_numbers(("a",) * 255, "linear", 0, 5, 0.5, 1.0), "255 labels"),
    ],
)
def test_what_the_integers_do_not_hold_is_refused(make, words):
    with pytest.raises(ModelError, match=words):
        make()


def test_rules_that_remember_something_else_have_other_keys():
    first = keyword_numbers(LABELS, "linear", -9, 15, 0.5, 0.8)
    same = keyword_numbers(LABELS, "linear", -9, 15, 0.6, 0.9)
    other = keyword_numbers(LABELS, "linear", -9, 16, 0.5, 0.8)
    assert first.key == same.key != other.key
