import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_edge.errors import DataError
from rnn_edge.features.windows import WindowConfig, Windows


@settings(max_examples=60, deadline=None)
@given(
    window=st.integers(1, 7),
    hop=st.integers(1, 9),
    has_deviation=st.booleans(),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_any_chunking_gives_the_same_bits(
    window: int, hop: int, has_deviation: bool, cuts: list[int]
) -> None:
    samples = np.random.default_rng(0).normal(size=(60, 3))
    config = WindowConfig(window, hop, has_deviation)
    whole = Windows(config, 3).frames(samples)
    stream = Windows(config, 3)
    chunks = [stream.push(part) for part in np.split(samples, sorted(cuts))]
    assert np.concatenate(chunks).tobytes() == whole.tobytes()


def test_mean_and_deviation() -> None:
    samples = np.array([[1.0, 0.0], [3.0, 0.0], [5.0, 6.0], [5.0, 0.0]])
    frames = Windows(WindowConfig(2, 2, True), 2).frames(samples)
    assert frames.tolist() == [[2.0, 0.0, 1.0, 0.0], [5.0, 3.0, 0.0, 3.0]]


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(DataError, match="Window of 0 samples"):
        WindowConfig(window_samples=0)
