"""Many streams at once are decided on as one by one."""

from dataclasses import replace

import numpy as np
import pytest

from rnn_edge.evaluation.keyword_streams import detections, posteriors, window_sums
from rnn_edge.reference.decisions import IntegerRule, keyword_limits, keyword_rule

LIMITS = (
    keyword_limits(5, 0.35, 0.6, 3, 11),
    None,
    keyword_limits(9, 0.5, 1.0, 1, 40),
    None,
    keyword_limits(2, 0.8, 0.2, 6, 0),
)


def outputs_of(seed, count):
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 600, (count, 5))
    y[np.arange(count), np.repeat(rng.integers(0, 5, count // 20 + 1), 20)[:count]] += 1500
    return np.clip(y, -32768, 32767).astype(np.int16)


def lowered(rule, part):
    def of(each):
        return each and replace(
            each, threshold=round(each.threshold * part), release=round(each.release * part)
        )

    return replace(rule, keywords=tuple(map(of, rule.keywords)))


def test_many_streams_have_the_bits_of_single_ones():
    rule = keyword_rule("linear", -9, LIMITS)
    rules = [rule, lowered(rule, 0.7), lowered(rule, 1.05)]
    streams = [outputs_of(seed, count) for seed, count in ((1, 900), (2, 1400), (3, 37))]
    found = detections(rules, [posteriors(rule, y) for y in streams])
    numbers = []
    for own, by_stream in zip(rules, found, strict=True):
        for y, begun in zip(streams, by_stream, strict=True):
            single = IntegerRule(own)
            single.update(y, y)
            wanted = [(c.step, c.label - 1) for c in single.changes if c.has_begun]
            assert [(d.step, d.label) for d in begun] == wanted
            numbers.append(len(wanted))
    assert max(numbers) > 20
    assert len(set(numbers)) > 3


def test_rules_with_other_windows_are_refused():
    rule = keyword_rule("linear", -9, LIMITS)
    other = keyword_rule("linear", -9, (*LIMITS[:4], keyword_limits(3, 0.5, 0.5)))
    with pytest.raises(ValueError, match="other frames"):
        detections([rule, other], [np.zeros((4, 5), np.int16)])


def test_sums_are_those_of_the_last_frames():
    p = np.arange(1, 7)[:, None]
    assert window_sums(p, 3)[:, 0].tolist() == [1, 3, 6, 9, 12, 15]
    assert window_sums(p, 1)[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert window_sums(p, 10)[:, 0].tolist() == [1, 3, 6, 10, 15, 21]
