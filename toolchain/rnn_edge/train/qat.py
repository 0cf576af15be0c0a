"""Fine-tuning of a trained student on its own integer arithmetic, on carried state.

The forward pass is the integer program, bit for bit, so that the weights adapt to every rounding
and to the state that those roundings build up. Late in the run the float weights are drawn onto
the int8 grid: the float model that stays behind then differs from the integer one by the rounding
of activations alone, which is what the drift of a stream is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import tensorflow as tf

from rnn_edge.train.carried import CarriedConfig, other_labels, train_carried
from rnn_edge.train.cells import Tensor
from rnn_edge.train.exact import ExactLayer, on_grid, round_matrix, rounded_layer
from rnn_edge.train.loop import Curves, Progress, Schedule, make_deterministic, silent
from rnn_edge.train.network import Network
from rnn_edge.train.pruning import ZerosStay
from rnn_edge.train.sequences import TrainingSet
from rnn_edge.types import Array, FloatModel
from rnn_edge.types.local import LocalLayer


@dataclass(frozen=True)
class QatConfig:
    """Training on the integer forward pass.

    Attributes:
        steps: Optimiser steps.
        lanes: Parallel streams.
        learning_rate: Peak of the cosine.
        soft_weight: Share of the teacher's term; without soft targets it does not count.
        temperature: Softens both distributions of the teacher's term.
        reset_probability: Share of sequences that start from a zero state.
        tail_frames: The decision is trained on this many last frames of a clip.
        dense_others: Clips of "unknown" and "silence" are trained on all their frames instead.
        hide_frames: Longest stretch of frames of a clip hidden.
        hide_bands: Widest stretch of bands of a clip hidden.
        cell_limit: An LSTM cell that ends a sequence beyond it costs its excess; 0 costs nothing.
        pull: Share of its way to the grid that a weight is moved after every step, at the end of
            the run; it rises with the square of the time. 0 leaves the weights where they are.
        trajectory_weight: Weight of the mean square distance, in percent of full scale, between
            the hidden states of the integer program and those of the float cells that run beside
            it with the same rounded weights.
        clip_norm: Largest gradient norm.
        evaluate_every: Steps between validations.
    """

    steps: int = 1500
    lanes: int = 128
    learning_rate: float = 1e-3
    soft_weight: float = 0.8
    temperature: float = 1.0
    reset_probability: float = 0.2
    tail_frames: int = 1
    dense_others: bool = False
    hide_frames: int = 5
    hide_bands: int = 4
    cell_limit: float = 8.0
    pull: float = 0.1
    trajectory_weight: float = 0.1
    clip_norm: float = 1.0
    evaluate_every: int = 250


@dataclass(frozen=True, eq=False)
class QatResult:
    """A fine-tuned student.

    Attributes:
        model: Its float weights, to be quantized with the scales it was tuned with.
        curves: Training loss and validation metrics of the integer forward pass.
        best: Validation score of the weights that were kept.
        best_step: The step they were taken at.
    """

    model: FloatModel
    curves: Curves
    best: float
    best_step: int


class _RoundedHead(Network):
    """A network whose head multiplies with weights on the int8 grid."""

    def head(self, hidden: Tensor) -> Tensor:
        w, b = self.variables[-2:]
        axis = len(hidden.shape) - 1
        return tf.tensordot(hidden, on_grid(tf.convert_to_tensor(w)), [[axis], [1]]) + b


def finetune_quantized(
    config: QatConfig,
    model: FloatModel,
    data: TrainingSet,
    soft_targets: Array | None,
    input_exponent: int,
    cell_exponents: Sequence[int | None],
    seed: int,
    progress: Progress = silent,
    local: tuple[LocalLayer, ...] = (),
) -> QatResult:
    """Fine-tunes a student so that its integer form works.

    Args:
        config: The run.
        model: The trained student.
        data: Training and validation part; frames on the grid 2**input_exponent, others are
            rounded onto it.
        soft_targets: The teacher's targets as for `train_student`, or None.
        input_exponent: Scale of the input frames, -12 for features within +-8.
        cell_exponents: Scale of each layer's LSTM cell from calibration; None for others.
        seed: Seed of the order.
        progress: Told after every validation.
        local: The student's first layers, whose weights are shared along their inputs.

    Returns:
        The weights of the last steps, which lie on the grid; the best validation before them
        would pick weights that the pull has not reached.
    """
    make_deterministic(seed)
    network = _RoundedHead.of_model(model, local)
    matrices = [v for v in network.variables if len(v.shape) == 2]

    zeros_stay = ZerosStay(network)

    def adjust(part_done: Tensor) -> None:
        zeros_stay()
        share = config.pull * tf.square(part_done)
        for variable in matrices if config.pull > 0.0 else ():
            weight = tf.convert_to_tensor(variable)
            variable.assign(weight + share * (round_matrix(weight).real() - weight))

    fitted = train_carried(
        "qat",
        network,
        data,
        soft_targets,
        CarriedConfig(
            lanes=config.lanes,
            reset_probability=config.reset_probability,
            soft_weight=config.soft_weight,
            temperature=config.temperature,
            tail_frames=config.tail_frames,
            dense_labels=other_labels(data.labels) if config.dense_others else (),
            hide_frames=config.hide_frames,
            hide_bands=config.hide_bands,
            cell_limit=config.cell_limit,
            trajectory_weight=config.trajectory_weight,
        ),
        Schedule(
            steps=config.steps,
            learning_rate=config.learning_rate,
            warmup=min(50, config.steps),
            clip_norm=config.clip_norm,
            evaluate_every=config.evaluate_every,
            keep_last=True,
        ),
        seed,
        progress,
        function=ExactLayer(network.kinds, input_exponent, cell_exponents),
        adjust=adjust,
        reference=rounded_layer(network.kinds) if config.trajectory_weight > 0.0 else None,
    )
    tuned = network.model(model.name, model.task, model.labels)
    tuned = replace(tuned, head_kind=model.head_kind)
    return QatResult(tuned, fitted.curves, fitted.best, fitted.best_step)
