import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_edge.evaluation.precision import average_precision


def test_average_precision_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    # Hits at ranks 1 and 3: (1/2)(1/1) + (1/2)(2/3).
    assert average_precision(scores, np.array([1, 0, 1, 0], bool)) == pytest.approx(5 / 6)
    assert average_precision(scores, np.array([1, 1, 0, 0], bool)) == 1.0
    assert average_precision(scores, np.array([0, 0, 0, 1], bool)) == pytest.approx(1 / 4)
    # Without order there is one threshold: the share of positives.
    assert average_precision(np.ones(4), np.array([1, 0, 0, 0], bool)) == 0.25
    assert math.isnan(average_precision(scores, np.zeros(4, bool)))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_average_precision_by_trying_every_threshold(pairs):
    scores = np.array([float(s) for s, _ in pairs])
    positive = np.array([p for _, p in pairs])
    if not positive.any():
        return
    total = recall = 0.0
    for threshold in sorted(set(scores), reverse=True):
        alarm = scores >= threshold
        hits = (alarm & positive).sum()
        total += (hits / positive.sum() - recall) * hits / alarm.sum()
        recall = hits / positive.sum()
    assert average_precision(scores, positive) == pytest.approx(total)
