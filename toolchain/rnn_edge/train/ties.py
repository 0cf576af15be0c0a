"""Weights of a local layer: the same for every stretch of inputs, and zeros between.

A layer has its matrices whole, as every other; what its stretches share is kept equal by giving
all copies of a weight the mean of their gradients. Adam, which sees the same gradients, then moves
them alike.

Source:
    LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition" (1989): shared
    weights; here along the bands of a spectrum, in a recurrent cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnn_edge.train.cells import LayerTensors, Tensor
from rnn_edge.types import Array
from rnn_edge.types.local import NOWHERE, LocalLayer, widths


class Ties:
    """Which weights of a local layer are copies of each other.

    Attributes:
        count: Stretches, and copies of each weight.
    """

    def __init__(self, layer: LocalLayer, inputs: int) -> None:
        """Lays the layer out.

        Args:
            layer: The layer.
            inputs: Input features D.

        Raises:
            ModelError: If its stretches do not fit the inputs.
        """
        self.count = layer.stretches(inputs)
        self._places = layer.places(inputs)
        self._heard = layer.width, layer.step
        self._copies = [_copies(place) for place in self._places]

    def spread(self, shared: Tensor, k: int) -> Tensor:
        """Returns array k of the layer, made of its shared weights, whatever their shape."""
        place = self._places[k]
        weights = tf.gather(tf.reshape(shared, [-1]), np.maximum(place, 0))
        return tf.where(place == NOWHERE, 0.0, weights)

    def stretches(self, x: Tensor) -> Tensor:
        """Returns what each stretch hears, [T, B, count, width] of x [T, B, D]."""
        width, step = self._heard
        return tf.gather(x, step * np.arange(self.count)[:, None] + np.arange(width), axis=2)

    def of_one(self, layer: LayerTensors) -> LayerTensors:
        """Returns the weights of the first stretch, which stand for all: of each, its first copy.

        A gradient with respect to them is the sum of those of all copies.
        """
        gates, units = layer.b_x.shape[0] // layer.w_h.shape[1], layer.w_h.shape[1] // self.count
        shapes = ([gates * units, -1], [gates * units, units], [gates * units], [gates * units])
        return LayerTensors(
            *(
                tf.reshape(tf.gather(tf.reshape(whole, [-1]), copies[:, 0]), shape)
                for whole, copies, shape in zip(layer, self._copies, shapes, strict=True)
            )
        )

    def gradients(self, own: list[Tensor]) -> list[Tensor]:
        """Returns gradients that are the same for all copies of a weight, and none for zeros.

        Args:
            own: Of w_x, w_h, b_x and b_h; where a layer was run by `of_one`, what all copies ask
                for stands in the first one, and the mean divides it by their count.
        """
        means = [
            tf.reduce_mean(tf.gather(tf.reshape(gradient, [-1]), copies), 1)
            for gradient, copies in zip(own, self._copies, strict=True)
        ]
        return [self.spread(mean, k) for k, mean in enumerate(means)]


def ties_of(local: Sequence[LocalLayer], inputs: int) -> tuple[Ties, ...]:
    """Returns the ties of several local layers, the first of which has so many inputs.

    Raises:
        ModelError: If the stretches of one do not fit its inputs.
    """
    *heard, _ = widths(local, inputs)
    return tuple(Ties(layer, own) for layer, own in zip(local, heard, strict=True))


def _copies(place: Array) -> Array:
    """Return where each shared weight stands, int32 [shared weights, stretches]."""
    flat = place.reshape(-1)
    order = np.argsort(flat, kind="stable").astype(np.int32)
    first = int((flat == NOWHERE).sum())
    return order[first:].reshape(int(flat.max()) + 1, -1)
