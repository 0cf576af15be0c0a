"""The float teacher: wider than the student, and it never has to run on a device.

Of clips it is a bidirectional stack over joined frames; of forecasts a causal stack on streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import tensorflow as tf

from rnn_edge.train import cells
from rnn_edge.train.augment import hide_stretches
from rnn_edge.train.carried import CarriedConfig, measure, train_carried
from rnn_edge.train.cells import LayerTensors, Tensor
from rnn_edge.train.compiled import compiled
from rnn_edge.train.forecaster import forecasts
from rnn_edge.train.loop import (
    Curves,
    Fitted,
    Progress,
    Schedule,
    fit,
    make_deterministic,
    silent,
)
from rnn_edge.train.mixed import mixed_steps
from rnn_edge.train.network import Network, layer_variables
from rnn_edge.train.sequences import TrainingSet
from rnn_edge.train.streams import Lanes
from rnn_edge.types import Array, CellKind, Task

TeacherKind: TypeAlias = CellKind | Literal["embedding"]


@dataclass(frozen=True)
class TeacherConfig:
    """Size and training of the teacher.

    Attributes:
        kind: The cell; "embedding" for the heads of `rnn_edge.train.embedded`, of which `layers`,
            `stack`, `hide_frames`, `hide_bands` and `patience` are no part.
        hidden: Units of each layer; of a clip teacher, of each of its two directions; filters of
            each convolution over embeddings.
        layers: Recurrent layers.
        stack: Frames joined into one step of a clip teacher, which then runs fewer steps.
        steps: Optimiser steps.
        batch: Sequences per step.
        learning_rate: Peak of the cosine.
        dropout: Share of each layer's outputs that a clip teacher drops in training.
        hide_frames: Longest stretch of frames hidden.
        hide_bands: Widest stretch of bands hidden.
        mixup: Both parameters of the beta distribution that the share of the first of two mixed
            clips is drawn from; 0 mixes none. Forecast teachers do not mix.
        clip_norm: Largest gradient norm.
        evaluate_every: Steps between validations.
        patience: Validations without a new best after which to stop; 0 never stops early.
        folds: Heads on embeddings, each trained without one share of the speakers.
    """

    kind: TeacherKind = "gru"
    hidden: int = 128
    layers: int = 2
    stack: int = 3
    steps: int = 3000
    batch: int = 128
    learning_rate: float = 4e-3
    dropout: float = 0.4
    hide_frames: int = 8
    hide_bands: int = 6
    mixup: float = 0.3
    clip_norm: float = 1.0
    evaluate_every: int = 250
    patience: int = 0
    folds: int = 4

    @property
    def cell(self) -> CellKind:
        """The recurrent cell."""
        if self.kind == "embedding":
            raise AssertionError("heads on embeddings have no cell")
        return self.kind


@dataclass(frozen=True, eq=False)
class TeacherResult:
    """A trained teacher.

    Attributes:
        task: What it was trained for.
        config: Its size.
        weights: Its arrays, in the order the network reads them.
        curves: Training loss and validation metrics.
        best: Best validation score: accuracy, or minus the mean squared error.
        best_step: The step it was reached at.
    """

    task: Task
    config: TeacherConfig
    weights: tuple[Array, ...]
    curves: Curves
    best: float
    best_step: int

    def soft_targets(self, x: Array, lengths: Array, successor: Array | None = None) -> Array:
        """Returns what the student is to imitate.

        Args:
            x: float32 [N, T, D], normalised frames.
            lengths: int64 [N], frames that count.
            successor: int64 [N] of recordings, see `SequenceSet`; clips have none.

        Returns:
            float32: logits [N, C] of clips, or outputs [N, T, C] of recordings.
        """
        variables = [tf.Variable(weight) for weight in self.weights]
        if self.task == "anomaly":
            kinds = [self.config.cell] * self.config.layers
            return forecasts(Network(kinds, variables), x, lengths, successor)
        return ClipTeacher(self.config, variables).predict(x, lengths)

    def arrays(self) -> dict[str, Array]:
        """Returns the weights by name, to be stored and given to `of_arrays`."""
        return {f"w{k:03d}": weight for k, weight in enumerate(self.weights)}

    @classmethod
    def of_arrays(
        cls, task: Task, config: TeacherConfig, arrays: Mapping[str, Array]
    ) -> TeacherResult:
        """Restores a teacher from `arrays`; its curves are not part of them."""
        weights = tuple(arrays[name] for name in sorted(arrays))
        return cls(task, config, weights, {}, float("nan"), 0)


class ClipTeacher:
    """Bidirectional layers over joined frames; mean over time, then a head."""

    def __init__(self, config: TeacherConfig, variables: list[tf.Variable]) -> None:
        """Takes over the variables: per layer forward (4) and backward (4), then the head (2)."""
        self.config = config
        self.variables = variables
        self._compiled = compiled(lambda x, mask: self.logits(x, mask, None))

    @classmethod
    def fresh(cls, config: TeacherConfig, inputs: int, outputs: int, seed: int) -> ClipTeacher:
        """Creates an untrained teacher."""
        variables: list[tf.Variable] = []
        width = inputs * config.stack
        for k in range(config.layers):
            for direction in range(2):
                own_seed = 10 * seed + 2 * k + direction + 5
                variables.extend(layer_variables(config.cell, width, config.hidden, own_seed))
            width = 2 * config.hidden
        head = tf.random.stateless_normal([outputs, width], [seed, 77], stddev=width**-0.5)
        return cls(config, [*variables, tf.Variable(head), tf.Variable(tf.zeros([outputs]))])

    def logits(self, x: Tensor, mask: Tensor, dropout_seed: Tensor | None) -> Tensor:
        """Returns the logits of a batch.

        Args:
            x: float32 [B, T, D].
            mask: float32 [B, T].
            dropout_seed: int32 [2], or None for no dropout.

        Returns:
            float32 [B, C].
        """
        config = self.config
        batch, T, D = x.shape
        steps = -(-T // config.stack)
        missing = steps * config.stack - T
        x = tf.pad(x * mask[:, :, None], [[0, 0], [0, missing], [0, 0]])
        x = tf.transpose(tf.reshape(x, [batch, steps, config.stack * D]), [1, 0, 2])
        present = tf.pad(mask, [[0, 0], [0, missing]])
        present = tf.reduce_max(tf.reshape(present, [batch, steps, config.stack]), 2)
        present = tf.transpose(present)[:, :, None]
        state = tuple(
            tf.zeros([batch, config.hidden]) for _ in range(cells.state_count(config.cell))
        )
        for k in range(config.layers):
            outputs = []
            for direction in range(2):
                at = 8 * k + 4 * direction
                weights = LayerTensors(
                    *(tf.convert_to_tensor(v) for v in self.variables[at : at + 4])
                )
                # Reversed padding comes first; the mask keeps the state at zero until it is over.
                axis = [0] if direction else []
                states = cells.layer(
                    config.cell, weights, tf.reverse(x, axis), state, tf.reverse(present, axis)
                )
                outputs.append(tf.reverse(states[0], axis))
            x = tf.concat(outputs, 2)
            if dropout_seed is not None and config.dropout > 0.0:
                kept = tf.random.stateless_uniform(x.shape[1:], dropout_seed + k) >= config.dropout
                x = x * tf.cast(kept, tf.float32) / (1.0 - config.dropout)
        mean = tf.reduce_sum(x * present, 0) / tf.reduce_sum(present, 0)
        return tf.matmul(mean, self.variables[-2], transpose_b=True) + self.variables[-1]

    def predict(self, x: Array, lengths: Array, batch: int = 512) -> Array:
        """Returns the logits of many clips, float32 [N, C], in batches of one shape."""
        found = []
        frames = np.arange(x.shape[1])[None, :]
        for start in range(0, len(x), batch):
            # The last batch is filled up, so that one compiled shape serves all.
            rows = np.minimum(np.arange(start, start + batch), len(x) - 1)
            mask = (frames < lengths[rows][:, None]).astype(np.float32)
            found.append(self._compiled(x[rows], mask).numpy())
        return np.asarray(np.concatenate(found)[: len(x)], dtype=np.float32)


def train_teacher(
    config: TeacherConfig, data: TrainingSet, seed: int, progress: Progress = silent
) -> TeacherResult:
    """Trains the teacher on labels or frames alone.

    Args:
        config: Size and training.
        data: Training and validation part.
        seed: Seed of weights, order and dropout.
        progress: Told after every validation.

    Returns:
        The teacher at its best validation.
    """
    make_deterministic(seed)
    schedule = Schedule(
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup=min(100, config.steps),
        clip_norm=config.clip_norm,
        evaluate_every=config.evaluate_every,
        patience=config.patience,
    )
    train = _train_clip_teacher if data.task == "kws" else _train_forecaster
    fitted = train(config, data, schedule, seed, progress)
    return TeacherResult(
        data.task, config, fitted.values, fitted.curves, fitted.best, fitted.best_step
    )


def _train_forecaster(
    config: TeacherConfig, data: TrainingSet, schedule: Schedule, seed: int, progress: Progress
) -> Fitted:
    kinds = [config.cell] * config.layers
    network = Network.fresh(kinds, data.inputs, config.hidden, data.outputs, seed)
    carried = CarriedConfig(
        lanes=config.batch,
        reset_probability=0.05,
        soft_weight=0.0,
        temperature=1.0,
        tail_frames=1,
        hide_frames=0,
        hide_bands=0,
    )
    return train_carried("teacher", network, data, None, carried, schedule, seed, progress)


def _train_clip_teacher(
    config: TeacherConfig, data: TrainingSet, schedule: Schedule, seed: int, progress: Progress
) -> Fitted:
    network = ClipTeacher.fresh(config, data.inputs, data.outputs, seed)
    generator = np.random.default_rng(seed)
    order = Lanes(len(data.train), config.batch, 1.0, None, generator)
    step = mixed_steps(network.logits, network.variables, schedule, config.mixup, generator)

    def take_step(i: int) -> Tensor:
        indices = order.next().indices
        x = hide_stretches(data.train.x[indices], config.hide_frames, config.hide_bands, generator)
        return step(x, data.train.mask(indices), data.train.target[indices], (seed, 100 * i))

    def validate() -> Mapping[str, float]:
        part = data.validation
        logits = network.predict(part.x, part.lengths)
        return {"score": measure(part, np.arange(len(part)), logits)}

    return fit("teacher", network.variables, take_step, validate, schedule, progress)
