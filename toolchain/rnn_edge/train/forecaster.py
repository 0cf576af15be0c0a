"""The float teacher of an anomaly model: a wide causal stack over the streams of its student."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnn_edge.train.cells import Tensor
from rnn_edge.train.compiled import compiled
from rnn_edge.train.network import Network
from rnn_edge.types import Array


def forecasts(network: Network, x: Array, lengths: Array, successor: Array | None) -> Array:
    """Returns the outputs after every frame, the state carried along every recording.

    Args:
        network: A trained network.
        x: float32 [N, T, D].
        lengths: int64 [N], frames that count.
        successor: int64 [N], see `SequenceSet`; None runs every sequence on its own.

    Returns:
        float32 [N, T, C].
    """
    count, T, _ = x.shape
    follows = np.full(count, -1) if successor is None else np.asarray(successor)
    heads = np.setdiff1d(np.arange(count), follows[follows >= 0])
    frames = np.arange(T)[None, :]

    @compiled
    def run(
        batch: Tensor, mask: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        time_mask = tf.transpose(mask)[:, :, None]
        hidden, after = network.run(tf.transpose(batch, [1, 0, 2]), state, time_mask)
        return tf.transpose(network.head(hidden), [1, 0, 2]), after

    found = np.zeros((count, T, int(network.variables[-1].shape[0])), np.float32)
    lanes = min(256, len(heads))
    for start in range(0, len(heads), lanes):
        # The last group is filled up, so that one compiled shape serves all.
        current = heads[np.minimum(np.arange(start, start + lanes), len(heads) - 1)]
        state = network.zero_state(lanes)
        alive = np.ones(lanes, dtype=bool)
        while alive.any():
            mask = (frames < lengths[current][:, None]).astype(np.float32)
            y, state = run(x[current], mask, state)
            found[current[alive]] = y.numpy()[alive]
            following = follows[current]
            alive &= following >= 0
            current = np.where(alive, following, current)
    return found
