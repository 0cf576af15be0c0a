"""A clip teacher on a frozen embedding of speech: a few small heads, each for other speakers.

What a teacher says of the clips that it was trained on is hardly more than their labels. So the
speakers are dealt into folds, and the targets of a clip come from the head that never heard who
speaks in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import keras
import numpy as np
import tensorflow as tf

from rnn_edge.errors import DataError
from rnn_edge.train.cells import Tensor
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
from rnn_edge.train.streams import Lanes
from rnn_edge.train.teacher import TeacherConfig
from rnn_edge.types import Array

WIDTH = 3
"""Embeddings under one tap of a convolution."""


@dataclass(frozen=True, eq=False)
class EmbeddedSet:
    """Embedded clips.

    Attributes:
        x: float16 or float32 [N, W, E].
        counts: int64 [N], how many of the W embeddings of a clip count, from 1 on.
        target: int64 [N], classes.
    """

    x: Array
    counts: Array
    target: Array

    def __len__(self) -> int:
        return len(self.target)


@dataclass(frozen=True, eq=False)
class EmbeddedTeacher:
    """Trained heads.

    Attributes:
        config: Their size.
        mean: float32 [E], of the embeddings of the training part.
        deviation: float32 [E].
        heads: The arrays of each head.
        curves: Training loss and validation accuracy of the first head.
        best: Best validation accuracy of the first head.
        best_step: The step it was reached at.
    """

    config: TeacherConfig
    mean: Array
    deviation: Array
    heads: tuple[tuple[Array, ...], ...]
    curves: Curves
    best: float
    best_step: int

    @property
    def weights(self) -> tuple[Array, ...]:
        """All arrays."""
        return tuple(array for head in self.heads for array in head)

    def logits(self, x: Array, counts: Array) -> Array:
        """Returns the mean of the heads' logits of new clips, float32 [N, C].

        Args:
            x: float [N, W, E].
            counts: int64 [N], how many embeddings of a clip count.
        """
        normal = self._normal(x)
        found = [_head(arrays, self.config).predict(normal, counts) for arrays in self.heads]
        return np.asarray(np.mean(found, axis=0), dtype=np.float32)

    def soft_targets(self, x: Array, counts: Array, fold: Array, clip: Array) -> Array:
        """Returns what the student is to imitate of the training part.

        A copy that noise covers tells no head much; all copies of a clip together do.

        Args:
            x: float [N, W, E].
            counts: int64 [N], how many embeddings of a clip count.
            fold: int64 [N], the head that never heard the speaker of a clip.
            clip: int64 [N], the clip that each entry is a copy of.

        Returns:
            float32 [N, C], logits, the same for all copies of a clip: their mean.
        """
        outputs = len(self.heads[0][-1])
        found = np.zeros((len(x), outputs), np.float64)
        for k, arrays in enumerate(self.heads):
            rows = np.flatnonzero(fold == k)
            if len(rows):
                head = _head(arrays, self.config)
                found[rows] = head.predict(self._normal(x[rows]), counts[rows])
        total = np.zeros((int(clip.max()) + 1, outputs))
        np.add.at(total, clip, found)
        mean = total[clip] / np.bincount(clip)[clip, None]
        return np.asarray(mean, dtype=np.float32)

    def arrays(self) -> dict[str, Array]:
        """Returns everything that was learned, by name."""
        named = {
            f"h{h:02d}w{k}": a for h, head in enumerate(self.heads) for k, a in enumerate(head)
        }
        return {"mean": self.mean, "deviation": self.deviation, **named}

    def _normal(self, x: Array) -> Array:
        return (x.astype(np.float32) - self.mean) / self.deviation


def folds_of(groups: Array, folds: int, seed: int) -> Array:
    """Deals groups of clips into folds of about equal numbers of groups.

    Args:
        groups: int64 [N], who speaks.
        folds: Number of folds.
        seed: Seed of the order.

    Returns:
        int64 [N].

    Raises:
        DataError: If there are fewer groups than folds.
    """
    known, index = np.unique(groups, return_inverse=True)
    if len(known) < folds:
        raise DataError(
            f"Training part: {len(known)} speakers; expected at least teacher.folds = {folds}.",
            f"--set teacher.folds={max(2, len(known))}",
        )
    dealt = np.random.default_rng(seed).permutation(len(known)) % folds
    return np.asarray(dealt[index], dtype=np.int64)


def spread(x: Array, counts: Array) -> tuple[Array, Array]:
    """Returns mean and standard deviation of the embeddings that count, each float32 [E].

    Args:
        x: float [N, W, E].
        counts: int64 [N].
    """
    own = x[counting(counts, x.shape[1])]
    # In float64: a sum of half floats over a pool has no digits left.
    mean, deviation = own.mean(0, dtype=np.float64), own.std(0, dtype=np.float64)
    return mean.astype(np.float32), (deviation + 1e-3).astype(np.float32)


def counting(counts: Array, windows: int) -> Array:
    """Returns which of the W embeddings of a clip count, bool [N, W]."""
    return np.asarray(np.arange(windows)[None, :] < counts[:, None])


def train_embedded(
    config: TeacherConfig,
    train: EmbeddedSet,
    fold: Array,
    validation: EmbeddedSet,
    outputs: int,
    seed: int,
    progress: Progress = silent,
) -> EmbeddedTeacher:
    """Trains one head per fold.

    Args:
        config: Size and training.
        train: The training part, altered copies included.
        fold: int64 [N], as from `folds_of`.
        validation: Clips of other speakers.
        outputs: Classes C.
        seed: Seed of weights, order and dropout.
        progress: Told after every validation.

    Returns:
        The heads, each with its last weights.
    """
    make_deterministic(seed)
    mean, deviation = spread(train.x, train.counts)
    parts = [
        replace(part, x=(part.x.astype(np.float32) - mean) / deviation)
        for part in (train, validation)
    ]
    fitted = [
        _train_head(config, parts, np.flatnonzero(fold != k), outputs, [seed, k], progress)
        for k in range(config.folds)
    ]
    first = fitted[0]
    heads = tuple(each.values for each in fitted)
    return EmbeddedTeacher(
        config, mean, deviation, heads, first.curves, first.best, first.best_step
    )


def _train_head(
    config: TeacherConfig,
    parts: Sequence[EmbeddedSet],
    rows: Array,
    outputs: int,
    seed: Sequence[int],
    progress: Progress,
) -> Fitted:
    """Trains on some rows of the first part, validates on the second."""
    train, validation = parts
    head = _Head.fresh(config, train.x.shape[2], outputs, 100 * seed[0] + seed[1])
    generator = np.random.default_rng(seed)
    order = Lanes(len(rows), config.batch, 1.0, None, generator)
    schedule = Schedule(
        steps=config.steps,
        learning_rate=config.learning_rate,
        warmup=min(100, config.steps),
        clip_norm=config.clip_norm,
        evaluate_every=config.evaluate_every,
        keep_last=True,
    )
    step = mixed_steps(head.logits, head.variables, schedule, config.mixup, generator)

    def take_step(i: int) -> Tensor:
        chosen = rows[order.next().indices]
        mask = _mask(train.counts[chosen], train.x.shape[1])
        return step(
            train.x[chosen] * mask, mask, train.target[chosen], (seed[0], 100 * i + seed[1])
        )

    def validate() -> Mapping[str, float]:
        decided = head.predict(validation.x, validation.counts).argmax(axis=1)
        return {"score": float(np.mean(decided == validation.target))}

    return fit("teacher", head.variables, take_step, validate, schedule, progress)


class _Head:
    """Two convolutions over embeddings; mean and maximum over time, then a dense layer."""

    def __init__(self, config: TeacherConfig, variables: Sequence[tf.Variable]) -> None:
        """Takes over kernel and bias of each convolution and of the dense layer."""
        self.config = config
        self.variables = list(variables)

    @classmethod
    def fresh(cls, config: TeacherConfig, inputs: int, outputs: int, seed: int) -> _Head:
        """Creates an untrained head."""
        shapes = [
            (WIDTH, inputs, config.hidden),
            (WIDTH, config.hidden, config.hidden),
            (2 * config.hidden, outputs),
        ]
        variables: list[tf.Variable] = []
        for k, shape in enumerate(shapes):
            draw = keras.initializers.GlorotUniform(seed=10 * seed + k)
            variables += [tf.Variable(draw(shape)), tf.Variable(tf.zeros([shape[-1]]))]
        return cls(config, variables)

    def logits(self, x: Tensor, mask: Tensor, dropout_seed: Tensor | None) -> Tensor:
        """Returns the logits of a batch.

        Args:
            x: float32 [B, W, E], normalised; 0 where it does not count.
            mask: float32 [B, W, 1], 1 where it counts.
            dropout_seed: int32 [2], or None for no dropout.

        Returns:
            float32 [B, C].
        """
        for k in range(2):
            kernel, bias = self.variables[2 * k : 2 * k + 2]
            x = tf.nn.relu(tf.nn.conv1d(x, kernel, 1, "SAME") + bias) * mask
            if dropout_seed is not None and self.config.dropout > 0.0:
                share = self.config.dropout
                kept = tf.random.stateless_uniform(x.shape, dropout_seed + 50 * k) >= share
                x = x * tf.cast(kept, tf.float32) / (1.0 - share)
        # What does not count is 0, and nothing is less.
        mean = tf.reduce_sum(x, 1) / tf.reduce_sum(mask, 1)
        pooled = tf.concat([tf.reduce_max(x, 1), mean], 1)
        return tf.matmul(pooled, self.variables[4]) + self.variables[5]

    def predict(self, x: Array, counts: Array, batch: int = 512) -> Array:
        """Returns the logits of many clips, float32 [N, C]."""
        parts = []
        for k in range(0, len(x), batch):
            mask = _mask(counts[k : k + batch], x.shape[1])
            parts.append(self.logits(x[k : k + batch] * mask, mask, None).numpy())
        return np.asarray(np.concatenate(parts), dtype=np.float32)


def _mask(counts: Array, windows: int) -> Array:
    return counting(counts, windows)[:, :, None].astype(np.float32)


def _head(arrays: Sequence[Array], config: TeacherConfig) -> _Head:
    return _Head(config, [tf.Variable(array) for array in arrays])
