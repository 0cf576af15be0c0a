"""The training loop shared by all stages: steps, validation, and the best weights kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from rnn_edge.errors import ModelError
from rnn_edge.types import Array

Progress = Callable[[str, int, int, Mapping[str, float]], None]
"""(stage, step, steps, metrics) after every validation."""

Curves = Mapping[str, tuple[Array, Array]]
"""Name -> (step int64 [n], value float64 [n])."""


KEEP_FROM = 0.8
"""Share of a run without early stopping before which no weights are kept."""


def silent(stage: str, step: int, total: int, metrics: Mapping[str, float]) -> None:
    """Reports nothing."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Attributes:
        steps: Optimiser steps.
        learning_rate: Peak of the cosine; it rises to it over the first `warmup` steps and
            falls to 1 % of it.
        warmup: Steps of the rise.
        clip_norm: Largest norm of the gradient of all weights together.
        evaluate_every: Steps between validations.
        patience: Validations without a new best after which to stop; 0 never stops early.
        keep_last: Whether the last weights are kept and not the best.
    """

    steps: int
    learning_rate: float
    warmup: int = 100
    clip_norm: float = 1.0
    evaluate_every: int = 250
    patience: int = 0
    keep_last: bool = False


@dataclass(frozen=True, eq=False)
class Fitted:
    """What the loop found.

    Attributes:
        values: Weights at the best validation, in the order of the variables.
        best: The validation score there, higher is better.
        best_step: The step it was taken at.
        curves: Training loss and every validation metric.
    """

    values: tuple[Array, ...]
    best: float
    best_step: int
    curves: Curves


def make_deterministic(seed: int) -> None:
    """Makes the same seed, data and versions give the same weights.

    Args:
        seed: Seeds Keras, TensorFlow, numpy and Python.
    """
    keras.utils.set_random_seed(seed % 2**32)
    tf.config.experimental.enable_op_determinism()


def adam(schedule: Schedule, variables: Sequence[tf.Variable]) -> keras.optimizers.Optimizer:
    """Creates Adam with a warmed-up cosine schedule and clipping of the gradient norm.

    Source:
        Kingma and Ba, "Adam" (2015); Loshchilov and Hutter, "SGDR" (2017), without restarts.
    """
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=schedule.learning_rate * 0.01,
        decay_steps=max(1, schedule.steps - schedule.warmup),
        alpha=0.01,
        warmup_target=schedule.learning_rate,
        warmup_steps=schedule.warmup,
    )
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=schedule.clip_norm)
    optimizer.build(list(variables))
    return optimizer


def follow(
    averages: Sequence[tf.Variable],
    variables: Sequence[tf.Variable],
    share: float,
    steps: tf.Tensor,
) -> None:
    """Moves averages of weights towards what the weights are after a step.

    Args:
        averages: Moved in place.
        variables: The weights.
        share: Of its own value that an average keeps, less in the first steps: there it is that of
            all steps, and the weights of the beginning are soon forgotten.
        steps: Integer scalar, steps taken, from 1.
    """
    taken = tf.cast(steps, tf.float32)
    now = tf.minimum(share, (taken - 1.0) / (taken + 9.0))
    for average, variable in zip(averages, variables, strict=True):
        value = tf.convert_to_tensor(variable)
        average.assign(value + now * (tf.convert_to_tensor(average) - value))


def fit(
    stage: str,
    variables: Sequence[tf.Variable],
    take_step: Callable[[int], tf.Tensor],
    validate: Callable[[], Mapping[str, float]],
    schedule: Schedule,
    progress: Progress = silent,
) -> Fitted:
    """Runs the steps and keeps the weights of the best validation.

    Args:
        stage: Name for progress and errors.
        variables: The weights to keep.
        take_step: Takes optimiser step number i and returns the loss.
        validate: Returns metrics; "score" decides, higher is better.
        schedule: Length and rates.
        progress: Told after every validation.

    Returns:
        Weights of the best validation, of the last fifth of the run unless it may stop early,
        and curves; the variables hold these weights too.

    Raises:
        ModelError: If the loss is no longer finite.
    """
    best, best_step, stale = -np.inf, 0, 0
    values = tuple(v.numpy() for v in variables)
    recorded: dict[str, list[tuple[int, float]]] = {}
    losses: list[tf.Tensor] = []
    for step in range(1, schedule.steps + 1):
        losses.append(take_step(step - 1))
        if step % schedule.evaluate_every and step != schedule.steps:
            continue
        loss = float(np.mean([float(value) for value in losses]))
        losses = []
        if not np.isfinite(loss):
            raise ModelError(
                f"Loss of the {stage} at step {step}: {loss}; expected a finite value.",
                f"lower {stage}.learning_rate.",
            )
        metrics = {"loss": loss, **validate()}
        for name, value in metrics.items():
            recorded.setdefault(name, []).append((step, value))
        progress(stage, step, schedule.steps, metrics)
        stale += 1
        # While the rate is high, a good score of a small validation part is mostly luck.
        is_late = bool(schedule.patience) or step >= KEEP_FROM * schedule.steps
        if is_late and (metrics["score"] >= best or schedule.keep_last):
            best, best_step, stale = metrics["score"], step, 0
            values = tuple(v.numpy() for v in variables)
        if schedule.patience and stale >= schedule.patience:
            break
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
    curves = {
        name: (np.array([p[0] for p in points]), np.array([p[1] for p in points]))
        for name, points in recorded.items()
    }
    return Fitted(values, float(best), best_step, curves)
