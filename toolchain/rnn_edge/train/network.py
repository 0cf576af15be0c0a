"""A stack of recurrent layers and a dense head as TensorFlow variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import keras
import tensorflow as tf

from rnn_edge.train import cells
from rnn_edge.train.cells import LayerTensors, Tensor
from rnn_edge.train.ties import Ties, ties_of
from rnn_edge.types import CellKind, DenseWeights, FloatModel, RecurrentWeights, Task
from rnn_edge.types.local import LocalLayer, widths

LOCAL = 7
"""Draws the first local layer in place of the number of a layer, and the next ones from there down;
there are at most four others."""
LayerFunction = Callable[
    [int, LayerTensors, Tensor, tuple[Tensor, ...], Tensor | None], tuple[Tensor, ...]
]
"""(layer index, weights, x [T, B, D], state, mask) -> states after each step, [T, B, H] each."""


def layer_variables(
    kind: CellKind, inputs: int, hidden: int, seed: int
) -> tuple[tf.Variable, tf.Variable, tf.Variable, tf.Variable]:
    """Creates the weights of one layer: Glorot input kernel, orthogonal recurrent blocks.

    Args:
        kind: The cell.
        inputs: Input features D.
        hidden: Units H.
        seed: Seed of the draw.

    Returns:
        w_x, w_h, b_x and b_h in the layout of `rnn_edge.types.RecurrentWeights`. The forget
        gate's bias is 1, so that a fresh cell remembers.
    """
    gates = cells.gate_count(kind)
    glorot = [
        keras.initializers.GlorotUniform(seed=1000 * seed + g)((inputs, hidden))
        for g in range(gates)
    ]
    orthogonal = [
        keras.initializers.Orthogonal(seed=1000 * seed + 100 + g)((hidden, hidden))
        for g in range(gates)
    ]
    w_x = tf.transpose(tf.concat(glorot, 1))
    w_h = tf.transpose(tf.concat(orthogonal, 1))
    b_x = tf.concat(
        [tf.fill([hidden], 1.0 if kind == "lstm" and g == 1 else 0.0) for g in range(gates)], 0
    )
    return (
        tf.Variable(w_x),
        tf.Variable(w_h),
        tf.Variable(b_x),
        tf.Variable(tf.zeros([gates * hidden])),
    )


class Network:
    """Variables of a model and the pure functions over them.

    Attributes:
        kinds: The cell of each layer.
        variables: w_x, w_h, b_x, b_h of each layer, then w and b of the head.
        ties: Of the first layers, whose weights are shared along their inputs.
    """

    def __init__(
        self,
        kinds: Sequence[CellKind],
        variables: Sequence[tf.Variable],
        ties: Sequence[Ties] = (),
    ) -> None:
        """Takes over the variables; see `fresh` and `of_model`."""
        self.kinds = tuple(kinds)
        self.variables = tuple(variables)
        self.ties = tuple(ties)

    @classmethod
    def fresh(
        cls,
        kinds: Sequence[CellKind],
        inputs: int,
        hidden: int,
        outputs: int,
        seed: int,
        local: Sequence[LocalLayer] = (),
    ) -> Network:
        """Creates an untrained network.

        Args:
            kinds: The cell of each layer, from input to output.
            inputs: Input features D.
            hidden: Units H of each layer.
            outputs: Outputs C.
            seed: Seed of the draw.
            local: Layers before them; the weights of each are drawn as those of one stretch.

        Raises:
            ModelError: If a local layer does not fit its inputs.
        """
        variables: list[tf.Variable] = []
        ties, width = ties_of(local, inputs), widths(local, inputs)[-1]
        for n, (layer, tied) in enumerate(zip(local, ties, strict=True)):
            shared = layer_variables(layer.kind, layer.width, layer.units, 10 * seed + LOCAL - n)
            variables.extend(tf.Variable(tied.spread(v, k)) for k, v in enumerate(shared))
        for k, kind in enumerate(kinds):
            variables.extend(layer_variables(kind, width, hidden, 10 * seed + k))
            width = hidden
        head = keras.initializers.GlorotUniform(seed=1000 * seed + 999)((hidden, outputs))
        variables += [tf.Variable(tf.transpose(head)), tf.Variable(tf.zeros([outputs]))]
        return cls([*(layer.kind for layer in local), *kinds], variables, ties)

    @classmethod
    def of_model(cls, model: FloatModel, local: Sequence[LocalLayer] = ()) -> Network:
        """Copies the weights of a model, whose first layers may be local, into variables."""
        variables: list[tf.Variable] = []
        for weights in model.layers:
            arrays = (weights.w_x, weights.w_h, weights.b_x, weights.b_h)
            variables.extend(tf.Variable(array) for array in arrays)
        variables += [tf.Variable(model.head.w), tf.Variable(model.head.b)]
        kinds = [layer.kind for layer in model.layers]
        return cls(kinds, variables, ties_of(local, model.inputs))

    def copy(self) -> Self:
        """Copies the weights into variables of their own."""
        copies = [tf.Variable(v.numpy()) for v in self.variables]
        return type(self)(self.kinds, copies, self.ties)

    @property
    def layers(self) -> int:
        """Number of recurrent layers."""
        return len(self.kinds)

    @property
    def hidden(self) -> int:
        """Units H of the last layer."""
        return int(self.variables[-2].shape[1])

    def layer(self, k: int) -> LayerTensors:
        """Returns the weights of layer k as tensors."""
        return LayerTensors(*(tf.convert_to_tensor(v) for v in self.variables[4 * k : 4 * k + 4]))

    def zero_state(self, lanes: int) -> tuple[Tensor, ...]:
        """Returns the zero state of all layers: h0, (c0,) h1, ..."""
        widths = [int(self.variables[4 * k + 1].shape[1]) for k in range(self.layers)]
        return tuple(
            tf.zeros([lanes, width])
            for width, kind in zip(widths, self.kinds, strict=True)
            for _ in range(cells.state_count(kind))
        )

    def lstm_cells(self, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Returns those of all states that are the c of an LSTM layer."""
        letters = [f"{kind} {s}" for kind in self.kinds for s in range(cells.state_count(kind))]
        return tuple(s for name, s in zip(letters, state, strict=True) if name == "lstm 1")

    def run(
        self,
        x: Tensor,
        state: tuple[Tensor, ...],
        mask: Tensor | None,
        function: LayerFunction | None = None,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Runs all recurrent layers.

        Args:
            x: float32 [T, B, D].
            state: As from `zero_state`.
            mask: float32 [T, B, 1] or None.
            function: How a layer is computed; the float cells by default.

        Returns:
            Hidden states of the last layer [T, B, H], and all states after the last step.
        """
        compute = function or self._float_layer
        after: list[Tensor] = []
        for k, kind in enumerate(self.kinds):
            own = state[len(after) : len(after) + cells.state_count(kind)]
            if k < len(self.ties):
                states = self._stretches(compute, k, x, own, mask)
            else:
                states = compute(k, self.layer(k), x, own, mask)
            after.extend(s[-1] for s in states)
            x = states[0]
        return x, tuple(after)

    def _float_layer(
        self,
        k: int,
        weights: LayerTensors,
        x: Tensor,
        state: tuple[Tensor, ...],
        mask: Tensor | None,
    ) -> tuple[Tensor, ...]:
        return cells.layer(self.kinds[k], weights, x, state, mask)

    def _stretches(
        self,
        compute: LayerFunction,
        k: int,
        x: Tensor,
        state: tuple[Tensor, ...],
        mask: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Run a local layer as a layer of one stretch over so many more lanes: the same values."""
        ties, (steps, lanes) = self.ties[k], x.shape[:2]
        heard = tf.reshape(ties.stretches(x), [steps, lanes * ties.count, -1])
        own = tuple(tf.reshape(s, [lanes * ties.count, -1]) for s in state)
        if mask is not None:
            mask = tf.repeat(mask, ties.count, axis=1)
        states = compute(k, ties.of_one(self.layer(k)), heard, own, mask)
        return tuple(tf.reshape(s, [steps, lanes, -1]) for s in states)

    def head(self, hidden: Tensor) -> Tensor:
        """Applies the dense head to [..., H]."""
        w, b = self.variables[-2:]
        axis = len(hidden.shape) - 1
        return tf.tensordot(hidden, w, [[axis], [1]]) + b

    def model(self, name: str, task: Task, labels: tuple[str, ...]) -> FloatModel:
        """Returns the weights as a framework-free model."""
        arrays = [v.numpy() for v in self.variables]
        layers = tuple(
            RecurrentWeights(kind, *arrays[4 * k : 4 * k + 4]) for k, kind in enumerate(self.kinds)
        )
        return FloatModel(name, task, layers, DenseWeights(*arrays[-2:]), labels)
