"""Synthetic streams go on with the statistics of the data."""

import numpy as np
import pytest
from stream_statistics import compare, correlations

from rnn_edge.errors import DataError
from rnn_edge.streams import autoregression, open_stream, read_whole
from rnn_edge.streams.autoregression import MAX_RADIUS, Autoregression
from rnn_edge.streams.correlations import (
    SMALLEST_EIGENVALUE,
    lagged_correlations,
    score_correlations,
    toeplitz,
)
from rnn_edge.streams.marginals import Marginals

SEQUENCES = tuple(range(800, 1600, 40))


def read(make_spec, frames, steps=200_000, **keys):
    stream = open_stream(make_spec("synthetic", **keys), frames, steps=steps)
    return stream, read_whole(stream).frames


@pytest.mark.parametrize("order", [1, 3])
def test_marginals_and_correlations_are_those_of_the_data(make_spec, make_frames, order):
    frames = make_frames(SEQUENCES)
    found = compare([s.frames for s in frames.sequences], read(make_spec, frames, order=order)[1])
    assert found["marginals"] < 0.02
    assert found["lag 0"] < 0.02
    assert found["lag 1"] < 0.02


def test_a_higher_order_preserves_what_lies_further_back(make_spec, make_frames):
    # Something that comes back after two frames and is not there after one.
    generator = np.random.default_rng(1)
    base = make_frames(SEQUENCES)
    sequences = []
    for s in base.sequences:
        noise = generator.normal(size=s.frames.shape)
        for t in range(2, len(noise)):
            noise[t] += 0.7 * noise[t - 2]
        sequences.append(type(s)(s.sequence_id, noise.clip(-7, 7), -1, None, s.split))
    frames = type(base)(base.labels, base.frame_rate_hz, tuple(sequences))
    wanted = correlations([s.frames for s in sequences], 2)
    off = {
        order: np.abs(wanted - correlations([read(make_spec, frames, order=order)[1]], 2)).max()
        for order in (1, 2)
    }
    assert off[1] > 0.5
    assert off[2] < 0.02


def test_no_value_is_new(make_spec, make_frames):
    frames = make_frames()
    stream = read(make_spec, frames, 20_000)[1]
    heard = np.concatenate([s.frames for s in frames.sequences])
    for k in range(3):
        assert np.isin(stream[:, k], heard[:, k]).all()


def test_it_goes_on_where_recordings_end(make_spec, make_frames):
    # No two stretches are alike, and the last is distributed as the first.
    stream = read(make_spec, make_frames(SEQUENCES), 400_000)[1]
    halves = np.split(stream, 2)
    found = compare([halves[0]], halves[1])
    assert max(found.values()) < 0.02
    assert not np.array_equal(halves[0][:100], halves[1][:100])
    assert len(np.unique(stream[:, 2])) > 2000


def test_a_feature_that_never_changes_stays(make_spec, make_frames):
    base = make_frames()
    held = tuple(
        type(s)(
            s.sequence_id,
            np.column_stack([s.frames[:, :2], np.full(len(s.frames), 0.5, np.float32)]),
            -1,
            None,
            s.split,
        )
        for s in base.sequences
    )
    stream = read(make_spec, type(base)(base.labels, 1.0, held), 10_000)[1]
    assert (stream[:, 2] == 0.5).all()
    assert stream[:, 0].std() > 0.1


def test_features_that_say_the_same_go_together(make_spec, make_frames):
    base = make_frames()
    twice = tuple(
        type(s)(s.sequence_id, s.frames[:, [0, 0, 2]], -1, None, s.split) for s in base.sequences
    )
    stream = read(make_spec, type(base)(base.labels, 1.0, twice), 50_000)[1]
    assert np.corrcoef(stream[:, 0], stream[:, 1])[0, 1] > 0.995


def test_too_little_data_is_refused(make_spec, make_frames):
    with pytest.raises(DataError, match="3 frames have 1 before them") as caught:
        read(make_spec, make_frames((4,)))
    assert "lower order" in caught.value.hint
    with pytest.raises(DataError, match="0 frames have 8 before them"):
        read(make_spec, make_frames((4, 5)), order=8)


def test_a_process_that_never_forgets_is_lowered():
    lagged = np.stack([np.eye(2), np.diag([0.99999, 0.5])])
    process = Autoregression.of_correlations(lagged)
    assert process.fitted_radius == pytest.approx(0.99999)
    assert process.radius == pytest.approx(MAX_RADIUS)
    assert process.coefficients[1, 1] == pytest.approx(0.5, rel=1e-3)
    # What lasts long lasts to the end of a block and beyond.
    blocks = process.draw(3)
    scores = np.concatenate([next(blocks) for _ in range(3)])
    steps = np.diff(scores[:, 0])
    assert np.abs(steps).max() < 0.1
    assert np.sqrt(np.square(steps).mean()) == pytest.approx(np.sqrt(2 * (1 - MAX_RADIUS)), rel=0.1)


def test_the_description_tells_of_a_lowered_radius(make_spec, make_frames, monkeypatch):
    plain = open_stream(make_spec("synthetic"), make_frames(), steps=10).description
    assert "spectral radius 0." in plain
    assert "lowered" not in plain
    monkeypatch.setattr(autoregression, "MAX_RADIUS", 0.5)
    lowered = open_stream(make_spec("synthetic"), make_frames(), steps=10).description
    assert "spectral radius 0.5000, lowered from 0." in lowered


def test_draws_follow_the_recursion_step_by_step():
    # Lanes are drawn side by side; what comes out must be one sequence all the same.
    generator = np.random.default_rng(2)
    a = generator.normal(size=(4, 2)) * 0.3
    quiet = Autoregression(a, np.zeros((2, 2)), np.eye(4), 0.9, 0.9)
    scores = next(quiet.draw(5))
    for t in range(2, len(scores)):
        assert np.allclose(scores[t], scores[t - 1] @ a[:2] + scores[t - 2] @ a[2:], atol=1e-12)
    noisy = Autoregression(np.zeros((4, 2)), np.eye(2), np.eye(4), 0.0, 0.0)
    expected = np.random.Generator(np.random.PCG64(5))
    expected.standard_normal(4)
    assert np.allclose(next(noisy.draw(5)), expected.standard_normal((4096, 2)))


def test_correlations_that_no_process_has_are_replaced_by_near_ones():
    generator = np.random.default_rng(3)
    marginals = Marginals.fit(generator.normal(size=(5000, 2)).astype(np.float32))
    # Feature 0 follows feature 1 exactly and is unlike itself a step before.
    impossible = np.array([[[1.0, 0.9], [0.9, 1.0]], [[-0.9, 0.95], [0.95, 0.9]]])
    found = score_correlations(impossible, marginals)
    values = np.linalg.eigvalsh(toeplitz(found))
    assert values[0] >= 0.99 * SMALLEST_EIGENVALUE
    assert np.allclose(np.diag(found[0]), 1.0)
    possible = np.array([[[1.0, 0.5], [0.5, 1.0]], [[0.6, 0.3], [0.3, 0.6]]])
    assert np.abs(score_correlations(possible, marginals) - possible).max() < 0.01


def test_correlations_are_taken_within_sequences():
    # Joined, the two would have a jump between them.
    sequences = [np.array([[0.0], [1.0], [0.0]]), np.array([[10.0], [11.0], [10.0]])]
    found, count = lagged_correlations(sequences, 1)
    frames = np.concatenate(sequences)
    z = (frames - frames.mean()) / frames.std()
    expected = np.mean([z[0] * z[1], z[1] * z[2], z[3] * z[4], z[4] * z[5]])
    assert count == 4
    assert found[1, 0, 0] == pytest.approx(expected)
