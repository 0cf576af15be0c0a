import numpy as np
import pytest

from rnn_edge.errors import DataError
from rnn_edge.features.normaliser import Normaliser


def test_fitted_frames_have_mean_zero_and_unit_scale() -> None:
    frames = np.random.default_rng(0).normal(3.0, [0.5, 7.0], size=(40, 50, 2))
    normaliser = Normaliser.fit(frames)
    normalised = normaliser.apply(frames)
    np.testing.assert_allclose(normalised.mean(axis=(0, 1)), 0.0, atol=1e-3)
    np.testing.assert_allclose(normalised.std(axis=(0, 1)), 1.0, atol=1e-3)
    np.testing.assert_allclose(normaliser.restore(normalised), frames, atol=2e-3)


def test_quantized_input_is_the_applied_one_and_saturates() -> None:
    normaliser = Normaliser(np.zeros(3, np.float32), np.ones(3, np.float32))
    frames = np.array([[0.0, 9.0, -9.0], [1.0, 2**-13, -(2**-12)]], np.float32)
    integers = normaliser.quantize_input(frames)
    assert integers.dtype == np.int16
    assert integers.tolist() == [[0, 32767, -32768], [4096, 0, -1]]
    assert (normaliser.apply(frames) * 4096 == integers).all()


def test_quantized_input_has_the_bits_of_its_definition() -> None:
    rng = np.random.default_rng(4)
    mean = rng.normal(-6.0, 3.0, 40).astype(np.float32)
    scale = rng.uniform(1e-6, 5.0, 40).astype(np.float32)
    frames = rng.normal(-6.0, 9.0, (300, 40)).astype(np.float32)
    # Half-way cases, both ends, and what has no end.
    frames[0] = mean + scale * np.float32(0.5 / 4096)
    frames[1], frames[2] = mean + 9 * scale, mean - 9 * scale
    frames[3], frames[4] = np.inf, -np.inf
    normaliser = Normaliser(mean, scale)
    steps = np.rint((frames - mean) / scale * np.float32(4096))
    expected = np.clip(steps, -32768, 32767).astype(np.int16)
    before = frames.copy()
    assert normaliser.quantize_input(frames).tobytes() == expected.tobytes()
    single = np.stack([normaliser.quantize_input(row) for row in frames])
    assert single.tobytes() == expected.tobytes()
    # What was handed over is not what is computed in.
    assert frames.tobytes() == before.tobytes()


def test_a_constant_feature_is_only_centred() -> None:
    normaliser = Normaliser.fit(np.full((10, 1), 4.0))
    assert normaliser.apply(np.array([[5.0]])).tolist() == [[1.0]]


def test_arrays_restore_it() -> None:
    normaliser = Normaliser.fit(np.random.default_rng(1).normal(size=(30, 4)))
    restored = Normaliser.of_arrays(normaliser.arrays())
    assert restored.mean.tobytes() == normaliser.mean.tobytes()
    assert restored.scale.tobytes() == normaliser.scale.tobytes()


def test_a_scale_of_zero_is_refused() -> None:
    with pytest.raises(DataError, match="not positive"):
        Normaliser(np.zeros(2, np.float32), np.zeros(2, np.float32))
