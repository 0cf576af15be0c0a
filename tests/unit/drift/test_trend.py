"""The verdict on where an error goes, against processes whose growth is known."""

import numpy as np
import pytest

from rnn_edge.drift.blocks import MOST_BLOCKS, BlockSums
from rnn_edge.drift.trend import find_trend
from rnn_edge.types.drift import TrendVerdict

STEPS = 96_000
SEEDS = 40


def squared(error, blocks=64):
    parts = np.split(np.square(error), blocks)
    ends = np.cumsum([len(part) for part in parts])
    return np.array([part.mean() for part in parts]), ends


def settled(seed, keep):
    """Return an AR(1) error that settles within 1 / (1 - keep) steps."""
    generator = np.random.default_rng(seed)
    innovations = generator.normal(size=(STEPS // 50, 50))
    weights = keep ** np.arange(200)
    return np.convolve(innovations.ravel(), weights)[:STEPS]


@pytest.mark.parametrize("keep", [0.0, 0.9, 0.98])
def test_an_error_that_settles_is_a_plateau(keep):
    verdicts = [find_trend(*squared(settled(seed, keep))).verdict for seed in range(SEEDS)]
    assert verdicts.count(TrendVerdict.PLATEAU) >= 0.95 * SEEDS
    assert TrendVerdict.GROWTH not in verdicts


def test_a_random_walk_never_passes_for_a_plateau_and_its_slope_is_a_half():
    found = [
        find_trend(*squared(np.cumsum(np.random.default_rng(seed).normal(size=STEPS))))
        for seed in range(SEEDS)
    ]
    walks = np.cumsum(np.random.default_rng(1).normal(size=(200, 6400)), axis=1)
    ensemble = find_trend(
        np.square(walks).mean(axis=0).reshape(64, 100).mean(axis=1), np.arange(1, 65) * 100
    )
    assert ensemble.slope.value == pytest.approx(0.5, abs=0.05)
    assert ensemble.verdict is TrendVerdict.GROWTH
    # One walk alone may come back to where it started.
    assert [t.verdict for t in found].count(TrendVerdict.PLATEAU) <= 0.15 * SEEDS


@pytest.mark.parametrize("rate", [1e-4, 1e-3])
def test_an_offset_that_adds_up_is_growth(rate):
    noise = np.random.default_rng(3).normal(size=STEPS)
    trend = find_trend(*squared(noise + rate * np.arange(STEPS)))
    assert trend.verdict is TrendVerdict.GROWTH


def test_no_error_at_all_is_a_plateau():
    trend = find_trend(np.zeros(64), np.arange(1, 65))
    assert trend.verdict is TrendVerdict.PLATEAU
    assert trend.slope.value == 0.0


def test_few_stretches_decide_nothing():
    assert find_trend(np.ones(7), np.arange(1, 8)).verdict is TrendVerdict.UNDECIDED
    assert find_trend(np.ones(0), np.arange(0)).verdict is TrendVerdict.UNDECIDED


@pytest.mark.parametrize("size", [1, 7, 16, 4096])
def test_blocks_hold_the_same_sums_however_the_steps_come(size):
    values = np.random.default_rng(2).uniform(size=40_000)
    blocks = BlockSums()
    for first in range(0, len(values), size if size > 1 else 13):
        blocks.add(first, values[first : first + (size if size > 1 else 13)])
    assert len(blocks.sums) <= MOST_BLOCKS
    assert blocks.counts.sum() == len(values)
    assert blocks.sums.sum() == pytest.approx(values.sum())
    means, ends = blocks.means(50)
    for start, end, mean in zip(np.concatenate([[0], ends[:-1]]), ends, means, strict=True):
        assert mean == pytest.approx(values[start : min(end, len(values))].mean())


def test_blocks_of_streams_of_any_length_are_merged_step_by_step():
    generator = np.random.default_rng(4)
    short, long = generator.uniform(size=1000), generator.uniform(size=50_000)
    merged, other = BlockSums(), BlockSums()
    merged.add(0, short)
    other.add(0, long)
    merged.merge(other)
    assert merged.counts.sum() == 51_000
    assert merged.sums.sum() == pytest.approx(short.sum() + long.sum())
    assert merged.sums[0] == pytest.approx(
        short[: merged.length].sum() + long[: merged.length].sum()
    )
