"""Training on streams: the state goes on from batch to batch, the gradient stops at the border.

Source:
    Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent
    network trajectories" (1990): truncated back-propagation through time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from rnn_edge.train import losses
from rnn_edge.train.augment import hide_stretches
from rnn_edge.train.cells import Tensor
from rnn_edge.train.loop import Fitted, Progress, Schedule, adam, fit
from rnn_edge.train.network import LayerFunction, Network
from rnn_edge.train.sequences import SequenceSet, TrainingSet
from rnn_edge.train.streams import Lanes
from rnn_edge.types import Array

VALIDATION_LANES = 32


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
) -> Fitted:
    """Trains a network on lanes of concatenated sequences.

    Args:
        stage: Name for progress and errors.
        network: Trained in place.
        data: Training and validation part.
        soft: The teacher's targets for the training part, [N, C] or [N, T, D]; None trains on
            the labels alone.
        config: What a step sees.
        schedule: Length and rates.
        seed: Seed of the order and of the hidden stretches.
        progress: Told after every validation.
        function: How a layer is computed; the float cells by default.
        adjust: Moves the variables after every step, given the part of the run that is done.
        reference: Another way to compute a layer, run beside the first on a state of its own; the
            distance between the two trajectories is part of the loss.

    Returns:
        Best weights and curves; "score" is the mean of the metric with and without resets.
    """
    generator = np.random.default_rng(seed)
    part = data.train
    lanes = Lanes(len(part), config.lanes, config.reset_probability, part.successor, generator)
    optimizer = adam(schedule, network.variables)
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
        logits = tf.reshape(network.head(hidden[-tail:]), [-1, data.outputs])
        return losses.distilled_cross_entropy(
            logits,
            tf.tile(target, [tail]),
            tf.tile(wanted, [tail, 1]),
            soft_weight,
            config.temperature,
        )

    @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
    def step(
        x: Tensor,
        mask: Tensor,
        target: Tensor,
        wanted: Tensor,
        state: tuple[Tensor, ...],
        part_done: Tensor,
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
        gradients = tape.gradient(loss, network.variables)
        optimizer.apply(gradients, list(network.variables))
        if adjust is not None:
            adjust(part_done)
        return loss, after

    state = tuple(s.numpy() for s in network.zero_state(config.lanes))
    if reference is not None:
        state += state
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
        )
        state = tuple(a.numpy() for a in after)
        return loss

    validate = Validation(network, data, function)
    return fit(stage, network.variables, take_step, validate, schedule, progress)


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

        @tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
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
