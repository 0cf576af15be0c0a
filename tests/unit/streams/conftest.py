"""Data that streams are made of."""

import numpy as np
import pytest

from rnn_edge.spec.stream import STREAM_KINDS
from rnn_edge.streams.grid import on_grid
from rnn_edge.types.frames import FrameSequence, FrameSet


@pytest.fixture
def make_spec():
    def make(kind, task="anomaly", **keys):
        return STREAM_KINDS[kind](task=task, kind=kind, **keys)

    return make


@pytest.fixture
def make_frames():
    """Three features that depend on one another: one skewed, one with a floor, one plain."""

    def make(lengths=(300, 200, 500), seed=0, labels=("a", "b", "c"), splits=("test",), classes=-1):
        generator = np.random.default_rng(seed)
        mixing = np.array([[0.8, 0.1, 0.0], [0.0, 0.6, 0.3], [0.1, 0.0, 0.9]])
        found = []
        for k, length in enumerate(lengths):
            z = np.zeros((length + 50, 3))
            for t in range(1, len(z)):
                z[t] = z[t - 1] @ mixing + 0.4 * generator.normal(size=3)
            z = z[50:]
            bent = np.stack([np.exp(0.8 * z[:, 0]) - 1.0, np.maximum(z[:, 1], -0.3), z[:, 2]], 1)
            label = -1 if classes == -1 else classes[k % len(classes)]
            split = splits[k % len(splits)]
            found.append(FrameSequence(f"s{k}", on_grid(bent), label, None, split))
        return FrameSet(labels, 50.0, tuple(found))

    return make
