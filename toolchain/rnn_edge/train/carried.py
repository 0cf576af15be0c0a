"""Training on streams: the state goes on from batch to batch, the gradient stops at the border.

Source:
    Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories" (1990): truncated back-propagation through time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnn_edge.reference.decisions import is_keyword
from rnn_edge.train import losses
from rnn_edge.train.augment import hide_stretches
from rnn_edge.train.cells import Tensor
from rnn_edge.train.compiled import compiled
from rnn_edge.train.loop import Fitted, Progress, Schedule, adam, fit, follow
from rnn_edge.train.network import LayerFunction, Network
from rnn_edge.train.pruning import Pruner, Pruning
from rnn_edge.train.sequences import SequenceSet, TrainingSet
from rnn_edge.train.streams import Lanes
from rnn_edge.types import Array

VALIDATION_LANES = 32
DENSE_FROM = 12
"""Frames at the beginning of a clip in which the answer may still be that of the clip before."""


@dataclass(frozen=True)
class CarriedConfig:
    """What a step on carried state sees and minimises.

    Attributes:
        lanes: Parallel streams B.
        reset_probability: Share of sequences that start from a zero state.
        soft_weight: Share of the teacher's term; 0 trains without a teacher.
        temperature: Softens both distributions of the teacher's term.
        tail_frames: The decision is trained on this many last frames of a clip.
        hide_frames: Longest stretch of frames of a clip hidden from the student.
        hide_bands: Widest stretch of bands of a clip hidden. Forecasts see every frame: what is
            to come cannot be told from what was hidden.
        cell_limit: An LSTM cell that ends a sequence beyond it costs its excess; 0 costs nothing.
        trajectory_weight: Weight of the distance from the trajectory of the reference.
        embedding_weight: Weight of the distance from the embedding of what was heard; without
            embeddings it does not count.
        average: Share of its own value that the moving average of the weights keeps at a step; it
            is the average that is validated and kept then. 0 keeps the weights themselves.
        dense_labels: Classes whose clips are trained on every frame from the `DENSE_FROM`th on,
            not only on the last ones: of what is no keyword every moment is an example.
        pruning: Which recurrent weights become zeros, those of local layers not among them; None
            keeps all.
    """

    lanes: int
    reset_probability: float
    soft_weight: float
    temperature: float
    tail_frames: int
    hide_frames: int
    hide_bands: int
    cell_limit: float = 0.0
    trajectory_weight: float = 0.0
    dense_labels: tuple[int, ...] = ()
    embedding_weight: float = 0.0
    average: float = 0.0
    pruning: Pruning | None = None


@dataclass(frozen=True, eq=False)
class HeardEmbeddings:
    """What a frozen embedding makes of the training part, for the hidden states to tell.

    Attributes:
        x: float16 or float32 [N, W, E].
        frames: The frame of a sequence after which each of the W windows is over.
        mean: float32 [E], of the training part.
        deviation: float32 [E].
    """

    x: Array
    frames: tuple[int, ...]
    mean: Array
    deviation: Array

    def chosen(self, indices: Array) -> Array:
        """Returns the normalised embeddings of some sequences, float32 [B, W, E]."""
        return (self.x[indices].astype(np.float32) - self.mean) / self.deviation

    def squared_distance(self, told: Tensor, heard: Tensor, mask: Tensor | None) -> Tensor:
        """Returns the mean square of the distance to the embeddings.

        Args:
            told: float32 [W, B, E].
            heard: float32 [B, W, E].
            mask: float32 [T, B, 1], 1 where frames are a sequence's own; None if all are. A window
                that ends behind a sequence does not count.

        Returns:
            float32 scalar.
        """
        squares = tf.square(told - tf.transpose(heard, [1, 0, 2]))
        if mask is None:
            return tf.reduce_mean(squares)
        own = tf.gather(mask, self.frames)
        count = tf.maximum(tf.reduce_sum(own), 1.0)
        return tf.reduce_sum(squares * own) / (count * float(squares.shape[2]))


def train_carried(
    stage: str,
    network: Network,
    data: TrainingSet,
    soft: Array | None,
    config: CarriedConfig,
    schedule: Schedule,
    seed: int,
    progress: Progress,
    function: LayerFunction | None = None,
    adjust: Callable[[Tensor], None] | None = None,
    reference: LayerFunction | None = None,
    embeddings: HeardEmbeddings | None = None,
) -> Fitted:
    """Trains a network on lanes of concatenated sequences.

    Args:
        stage: Name for progress and errors.
        network: Trained in place.
        data: Training and validation part.
        soft: The teacher's targets for the training part, [N, C] or [N, T, C]; None trains on
            the labels alone.
        config: What a step sees.
        schedule: Length and rates.
        seed: Seed of the order and of the hidden stretches.
        progress: Told after every validation.
        function: How a layer is computed; the float cells by default.
        adjust: Moves the variables after every step, given the part of the run that is done.
        reference: Another way to compute a layer, run beside the first on a state of its own; the
            distance between the two trajectories is part of the loss.
        embeddings: Of the training part; a linear map of the hidden states, which is thrown away
            afterwards, learns to tell them. None learns from targets alone.

    Returns:
        Best weights and curves; "score" is the mean of the metric with and without resets.

    Source:
        Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992), as a
        moving average: late weights circle round a better place than any of them is at.
    """
    generator = np.random.default_rng(seed)
    part = data.train
    lanes = Lanes(len(part), config.lanes, config.reset_probability, part.successor, generator)
    told: list[tf.Variable] = []
    if config.embedding_weight == 0.0:
        embeddings = None
    if embeddings is not None:
        told = _linear_map(network.hidden, len(embeddings.mean), seed)
    learned = [*network.variables, *told]
    kept = network.copy() if config.average > 0.0 else network
    pruner = Pruner(config.pruning, network, part.x) if config.pruning else None
    optimizer = adam(schedule, learned)
    padded = part.is_padded
    soft_weight = config.soft_weight if soft is not None else 0.0
    tensors = len(network.zero_state(1))

    def objective(hidden: Tensor, target: Tensor, wanted: Tensor, mask: Tensor | None) -> Tensor:
        if data.task == "anomaly":
            steps_first = [1, 0, 2]
            return losses.distilled_square_error(
                network.head(hidden),
                tf.transpose(target, steps_first),
                tf.transpose(wanted, steps_first),
                soft_weight,
                mask,
            )
        tail = min(config.tail_frames, int(hidden.shape[0]))
        if config.dense_labels:
            return losses.dense_cross_entropy(
                network.head(hidden),
                target,
                wanted,
                soft_weight,
                config.temperature,
                frame_weights(target, mask, tail, int(hidden.shape[0]), config.dense_labels),
            )
        logits = tf.reshape(network.head(hidden[-tail:]), [-1, data.outputs])
        return losses.distilled_cross_entropy(
            logits,
            tf.tile(target, [tail]),
            tf.tile(wanted, [tail, 1]),
            soft_weight,
            config.temperature,
        )

    @compiled
    def step(
        x: Tensor,
        mask: Tensor,
        target: Tensor,
        wanted: Tensor,
        state: tuple[Tensor, ...],
        part_done: Tensor,
        heard: Tensor,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        time_mask = tf.transpose(mask)[:, :, None] if padded else None
        frames = tf.transpose(x, [1, 0, 2])
        with tf.GradientTape() as tape:
            hidden, after = network.run(frames, state[:tensors], time_mask, function)
            loss = objective(hidden, target, wanted, time_mask)
            lstm_cells = network.lstm_cells(after)
            if lstm_cells and config.cell_limit > 0.0:
                loss += losses.cell_excess(lstm_cells, config.cell_limit)
            if reference is not None:
                beside, own = network.run(frames, state[tensors:], time_mask, reference)
                apart = losses.mean_square_percent(hidden - beside, time_mask)
                loss += config.trajectory_weight * apart
                after += own
            if embeddings is not None:
                told_now = tf.tensordot(tf.gather(hidden, embeddings.frames), told[0], [[2], [1]])
                distance = embeddings.squared_distance(told_now + told[1], heard, time_mask)
                loss += config.embedding_weight * distance
        gradients = tape.gradient(loss, learned)
        for k, shared in enumerate(network.ties):
            layer = slice(4 * k, 4 * k + 4)
            gradients[layer] = shared.gradients(gradients[layer])
        optimizer.apply(gradients, learned)
        if adjust is not None:
            adjust(part_done)
        if kept is not network:
            follow(kept.variables, network.variables, config.average, optimizer.iterations)
        if pruner is not None:
            pruner(part_done, kept)
        return loss, after

    state = tuple(s.numpy() for s in network.zero_state(config.lanes))
    if reference is not None:
        state += state
    nothing = np.zeros(0, np.float32)
    target_type = np.int32 if data.task == "kws" else np.float32

    def take_step(i: int) -> Tensor:
        nonlocal state
        batch = lanes.next()
        x = part.x[batch.indices]
        if data.task == "kws":
            x = hide_stretches(x, config.hide_frames, config.hide_bands, generator)
        target = part.target[batch.indices].astype(target_type, copy=False)
        if soft is None:
            unused = (config.lanes, data.outputs) if data.task == "kws" else target.shape
            wanted = np.zeros(unused, np.float32)
        else:
            wanted = soft[batch.indices]
        carried = tuple(s * batch.carry for s in state)
        loss, after = step(
            x,
            part.mask(batch.indices),
            target,
            wanted,
            carried,
            np.float32((i + 1) / schedule.steps),
            nothing if embeddings is None else embeddings.chosen(batch.indices),
        )
        state = tuple(a.numpy() for a in after)
        return loss

    validate = Validation(kept, data, function)
    fitted = fit(stage, kept.variables, take_step, validate, schedule, progress)
    if kept is not network:
        for variable, value in zip(network.variables, fitted.values, strict=True):
            variable.assign(value)
    return fitted


def _linear_map(hidden: int, size: int, seed: int) -> list[tf.Variable]:
    """Creates the map from hidden states to embeddings."""
    kernel = tf.random.stateless_normal([size, hidden], [seed, 78], stddev=hidden**-0.5)
    return [tf.Variable(kernel), tf.Variable(tf.zeros([size]))]


def other_labels(labels: Sequence[str]) -> tuple[int, ...]:
    """Returns the outputs that stand for no keyword."""
    return tuple(k for k, label in enumerate(labels) if not is_keyword(label))


def frame_weights(
    target: Tensor, mask: Tensor | None, tail: int, frames: int, dense_labels: tuple[int, ...]
) -> Tensor:
    """Returns how much each frame of a clip counts, 1 in sum over a clip.

    Args:
        target: int32 [B], classes.
        mask: float32 [T, B, 1], 1 where frames are the clip's own; None if all are.
        tail: Last frames that count; behind the end of a clip its last state is repeated.
        frames: T.
        dense_labels: Classes of which every own frame from `DENSE_FROM` on counts, too.

    Returns:
        float32 [T, B].
    """
    time = tf.range(frames)[:, None]
    last = tf.cast(time >= frames - tail, tf.float32)
    is_dense = tf.reduce_any(target[:, None] == tf.constant(dense_labels)[None, :], axis=1)
    own = tf.cast(time >= DENSE_FROM, tf.float32)
    if mask is not None:
        own *= mask[:, :, 0]
    weights = tf.where(is_dense[None, :], tf.maximum(own, last), last)
    return weights / tf.reduce_sum(weights, axis=0, keepdims=True)


class Validation:
    """Scores the validation part, each sequence from a zero state and all of them in a stream."""

    def __init__(
        self, network: Network, data: TrainingSet, function: LayerFunction | None = None
    ) -> None:
        """Prepares the compiled pass; the order of the stream is fixed by a seed."""
        self._network = network
        self._data = data
        part = data.validation
        lanes = min(VALIDATION_LANES, len(part))
        rows = len(part) // lanes
        if part.successor is None:
            order = np.random.default_rng(0).permutation(len(part))[: rows * lanes]
            self._stream = order.reshape(rows, lanes)
        else:
            self._stream = np.arange(rows * lanes).reshape(lanes, rows).T
        self._padded = part.is_padded
        padded = self._padded

        @compiled
        def outputs(
            x: Tensor, mask: Tensor, state: tuple[Tensor, ...]
        ) -> tuple[Tensor, tuple[Tensor, ...]]:
            time_mask = tf.transpose(mask)[:, :, None] if padded else None
            hidden, after = network.run(tf.transpose(x, [1, 0, 2]), state, time_mask, function)
            if data.task == "kws":
                return network.head(hidden[-1]), after
            return tf.transpose(network.head(hidden), [1, 0, 2]), after

        self._outputs = outputs

    def __call__(self) -> Mapping[str, float]:
        """Returns "fresh", "carried" and "score": accuracy, or minus the mean squared error."""
        part = self._data.validation
        size = self._stream.shape[1]
        zero = self._network.zero_state(size)
        fresh, carried = [], []
        state = zero
        for indices in self._stream:
            x, mask = part.x[indices], part.mask(indices)
            y, _ = self._outputs(x, mask, zero)
            fresh.append(measure(part, indices, y.numpy()))
            y, state = self._outputs(x, mask, state)
            carried.append(measure(part, indices, y.numpy()))
        means = float(np.mean(fresh)), float(np.mean(carried))
        return {"fresh": means[0], "carried": means[1], "score": 0.5 * (means[0] + means[1])}


def measure(part: SequenceSet, indices: Array, outputs: Array) -> float:
    """Returns the accuracy of logits, or minus the mean squared error of forecasts."""
    target = part.target[indices]
    if target.ndim == 1:
        return float(np.mean(np.argmax(outputs, axis=1) == target))
    mask = part.mask(indices)[:, :, None]
    squares = np.square(outputs - target) * mask
    return -float(squares.sum() / (mask.sum() * target.shape[2]))
