"""Curves of any length are held in the same memory, and no peak is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.live import envelope
from rnn_edge.live.envelope import MOST_BUCKETS, Envelope


def by_hand(values, length):
    parts = [values[k : k + length] for k in range(0, len(values), length)]
    return np.array([p.min(axis=0) for p in parts]), np.array([p.max(axis=0) for p in parts])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_stretches_are_those_of_the_whole_whatever_the_pieces(sizes, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(envelope, "MOST_BUCKETS", 16)
        values = np.random.default_rng(seed).normal(size=(sum(sizes), 3))
        held = Envelope(3)
        for piece in np.split(values, np.cumsum(sizes)[:-1]):
            held.add(piece)
        assert held.buckets <= 16
        low, high = by_hand(values, held.length)
        np.testing.assert_array_equal(held.low(), low)
        np.testing.assert_array_equal(held.high(), high)


def test_millions_of_samples_take_no_more_memory_and_a_peak_of_one_is_seen():
    held = Envelope(2)
    values = np.zeros((100_000, 2))
    for k in range(30):
        part = values.copy()
        if k == 17:
            part[5, 1] = 9.0
        held.add(part)
    assert held.samples == 3_000_000
    assert MOST_BUCKETS / 2 < held.buckets <= MOST_BUCKETS
    assert held.low().shape == held.high().shape == (held.buckets, 2)
    (place,) = np.flatnonzero(held.high()[:, 1] == 9.0)
    assert place == (17 * 100_000 + 5) // held.length


def test_what_is_no_number_is_passed_over():
    held = Envelope(1)
    held.add(np.array([[np.nan], [1.0], [np.nan]]))
    np.testing.assert_array_equal(held.high()[:, 0], [np.nan, 1.0, np.nan])
    for _ in range(MOST_BUCKETS):
        held.add(np.array([[np.nan]]))
    assert held.length == 2
    assert held.low()[0, 0] == held.high()[0, 0] == 1.0
    assert np.isnan(held.high()[5:, 0]).all()
