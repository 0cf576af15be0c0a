"""Recurrent weights that become zeros while a network is trained, by columns of four rows.

Four rows of a gate that follow each other are a strip; four columns of a strip, whichever they are,
are a block. The exported C leaves out what is no block of its strip.

Source:
    Narang, Undersander and Diamos, "Block-Sparse Recurrent Neural Networks" (2017); the cubic
    schedule is that of Zhu and Gupta, "To prune, or not to prune" (2017); columns are compared by
    their squares times those of what they are multiplied with, as in Sun et al., "A Simple and
    Effective Pruning Approach for Large Language Models" (2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnn_edge.train.cells import Tensor
from rnn_edge.train.network import Network
from rnn_edge.types import Array

SIDE = 4
"""Rows of a strip and columns of a block, as the exported C has them."""
HIDDEN_SQUARE = 0.25
"""Mean square that hidden states are taken to have; they lie within -1..1."""


@dataclass(frozen=True)
class Pruning:
    """How many blocks stay, and when the others go.

    Attributes:
        density: Share of the blocks of all recurrent layers that stays.
        begin: Share of the run after which the first ones go.
        end: Share of the run after which the last ones are gone.
    """

    density: float
    begin: float
    end: float


class Pruner:
    """Zeroes the blocks of a network that count least, and never the best one of a strip."""

    def __init__(self, config: Pruning, network: Network, frames: Array) -> None:
        """Takes the network's recurrent matrices, without those of local layers.

        Args:
            config: How many blocks, and when.
            network: Whose variables are changed.
            frames: float32 [N, T, D], of the training part, for the mean square of the inputs.
        """
        self._config, self._first = config, len(network.ties)
        self._matrices, self._gates = recurrent_matrices(network, self._first)
        heard = float(np.mean(np.square(frames[:2048]), dtype=np.float64))
        is_input = [self._first == 0 and k == 0 for k in range(len(self._matrices))]
        self._squares = [heard if own else HIDDEN_SQUARE for own in is_input]

    def masks(self, part_done: Tensor) -> list[Tensor]:
        """Returns 1 where weights stay and 0 where they go, shaped as the matrices.

        Args:
            part_done: float32 scalar, the part of the run that is done.
        """
        parts = list(zip(self._matrices, self._gates, self._squares, strict=True))
        columns = [column_squares(matrix, gates) * square for matrix, gates, square in parts]
        ranked = [tf.sort(each, direction="DESCENDING") for each in columns]
        blocks = [tf.reduce_sum(tf.reshape(r, [r.shape[0], -1, SIDE]), 2) for r in ranked]
        limit = self._limit(blocks, part_done)
        masks = []
        for (matrix, gates, _), own, order, block in zip(
            parts, columns, ranked, blocks, strict=True
        ):
            count = 1 + tf.reduce_sum(tf.cast(block[:, 1:] >= limit, tf.int32), 1)
            least = tf.gather(order, SIDE * count - 1, batch_dims=1)
            masks.append(spread(tf.cast(own >= least[:, None], tf.float32), matrix, gates))
        return masks

    def _limit(self, blocks: Sequence[Tensor], part_done: Tensor) -> Tensor:
        """Returns what a block must come to in order to stay; the first of a strip stays anyway."""
        begin, end = self._config.begin, self._config.end
        time = tf.clip_by_value((part_done - begin) / (end - begin), 0.0, 1.0)
        density = self._config.density + (1.0 - self._config.density) * (1.0 - time) ** 3
        others = tf.concat([tf.reshape(block[:, 1:], [-1]) for block in blocks], 0)
        strips = sum(int(block.shape[0]) for block in blocks)
        total = float(strips + int(others.shape[0]))
        count = tf.cast(tf.round(density * total), tf.int32) - strips
        ranked = tf.sort(others, direction="DESCENDING")
        return tf.where(count > 0, tf.gather(ranked, tf.maximum(count, 1) - 1), np.inf)

    def __call__(self, part_done: Tensor, also: Network) -> None:
        """Zeroes blocks of the network, and the same ones of another network of its shape."""
        masks = self.masks(part_done)
        others, _ = recurrent_matrices(also, self._first)
        for matrix, other, mask in zip(self._matrices, others, masks, strict=True):
            matrix.assign(tf.convert_to_tensor(matrix) * mask)
            if other is not matrix:
                other.assign(tf.convert_to_tensor(other) * mask)


class ZerosStay:
    """Keeps columns of zeros what they are in further training."""

    def __init__(self, network: Network) -> None:
        """Looks where they are.

        Args:
            network: Whose variables are changed.
        """
        self._matrices, gates = recurrent_matrices(network)
        self._masks = [
            spread(tf.cast(column_squares(matrix, count) > 0.0, tf.float32), matrix, count)
            for matrix, count in zip(self._matrices, gates, strict=True)
        ]

    def __call__(self) -> None:
        """Zeroes them again."""
        for matrix, mask in zip(self._matrices, self._masks, strict=True):
            matrix.assign(tf.convert_to_tensor(matrix) * mask)


def recurrent_matrices(network: Network, first: int = 0) -> tuple[list[tf.Variable], Sequence[int]]:
    """Returns w_x and w_h of every layer from the first on, and how many gates each has rows of."""
    layers = range(first, network.layers)
    matrices = [network.variables[4 * k + i] for k in layers for i in (0, 1)]
    widths = [int(network.variables[4 * k + 1].shape[1]) for k in layers]
    gates = [int(m.shape[0]) // widths[k // 2] for k, m in enumerate(matrices)]
    return matrices, gates


def column_squares(matrix: Tensor, gates: int) -> Tensor:
    """Returns the sum of squares of each column of each strip, float32 [strips, columns].

    Columns are padded to a multiple of four by such as are below every other one.

    Args:
        matrix: float32 [N, K].
        gates: Of how many gates the rows are; each begins a strip of its own.
    """
    n, k = (int(size) for size in matrix.shape)
    rows = n // gates
    whole = tf.reshape(tf.convert_to_tensor(matrix), [gates, rows, k])
    whole = tf.pad(whole, [[0, 0], [0, -rows % SIDE], [0, 0]])
    squares = tf.reduce_sum(tf.square(tf.reshape(whole, [-1, SIDE, k])), 1)
    return tf.pad(squares, [[0, 0], [0, -k % SIDE]], constant_values=-1.0)


def spread(columns: Tensor, matrix: Tensor, gates: int) -> Tensor:
    """Returns a value of each column of a strip as one of each weight, shaped as the matrix."""
    n, k = (int(size) for size in matrix.shape)
    whole = tf.reshape(tf.repeat(columns[:, :k], SIDE, 0), [gates, -1, k])
    return tf.reshape(whole[:, : n // gates], [n, k])
