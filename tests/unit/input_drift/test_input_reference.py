"""What a bundle keeps of the frames it was calibrated on."""

import numpy as np
import pytest

from rnn_edge.errors import BundleError, DataError
from rnn_edge.input_drift import InputReference


def fit(*sequences, **options):
    names = [f"f{k}" for k in range(sequences[0].shape[1])]
    return InputReference.fit(sequences, names, exponent=-12, frame_rate_hz=2.0, **options)


def test_a_reference_comes_back_to_the_byte(tmp_path):
    x = np.random.default_rng(0).normal(0, 9000, (400, 3)).astype(np.int16)
    found = fit(x[:100], x[100:], origin="d" * 64)
    found.save(tmp_path / "one.npz")
    again = InputReference.load(tmp_path / "one.npz")
    again.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert (again.names, again.exponent, again.frames, again.origin) == (
        ("f0", "f1", "f2"),
        -12,
        400,
        "d" * 64,
    )
    assert np.array_equal(again.values, found.values)
    assert np.array_equal(found.values[[0, 125, 250]], np.sort(x, axis=0)[[0, 199, 399]])


def test_a_damaged_reference_is_refused(tmp_path):
    path = tmp_path / "one.npz"
    fit(np.zeros((5, 2), np.int16)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(BundleError, match="cannot be read"):
        InputReference.load(path)


def test_no_frame_is_no_reference():
    with pytest.raises(DataError, match="no frame"):
        fit(np.empty((0, 2), np.int16))


def test_shares_are_tenths_and_shared_values_are_bins_of_their_own():
    x = np.stack([np.arange(1000), np.repeat([-5, 3], [300, 700])], axis=1).astype(np.int16)
    x[300:, 1] += np.arange(700, dtype=np.int16)
    constant = np.full((1000, 1), 7, np.int16)
    found = fit(np.concatenate([x, constant], axis=1))
    assert found.shares(found.tally, 0) == pytest.approx(np.full(10, 0.1))
    second = found.shares(found.tally, 1)
    assert second[:2].tolist() == [0.0, 0.3]
    assert second[2:] == pytest.approx(np.full(7, 0.1))
    # A sensor at rest: below, at, and above its value.
    assert found.shares(found.tally, 2).tolist() == [0.0, 1.0, 0.0]
    moved = np.array([[0, 0, 6], [0, 0, 7], [0, 0, 8], [0, 0, 8]], np.int16)
    assert found.shares(found.count(moved), 2).tolist() == [0.25, 0.25, 0.5]


def test_saturated_frames_are_a_share():
    x = np.array([[0, 32767], [1, -32768], [2, 5], [3, 5]], np.int16)
    assert fit(x).saturated.tolist() == [0.0, 0.5]
