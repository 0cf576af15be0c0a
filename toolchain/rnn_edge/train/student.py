"""The float student: trained on streams, with a teacher's soft targets or without."""

from __future__ import annotations

from dataclasses import dataclass

from rnn_edge.train.carried import CarriedConfig, HeardEmbeddings, other_labels, train_carried
from rnn_edge.train.loop import Curves, Progress, Schedule, make_deterministic, silent
from rnn_edge.train.network import Network
from rnn_edge.train.pruning import Pruning
from rnn_edge.train.sequences import TrainingSet
from rnn_edge.types import Array, CellKind, FloatModel
from rnn_edge.types.local import LocalLayer


@dataclass(frozen=True)
class StudentConfig:
    """Size and training of the student.

    Attributes:
        kinds: The cell of each recurrent layer, from input to output.
        hidden: Units H of each layer.
        local: Layers before them whose weights are shared along their inputs.
        steps: Optimiser steps, each one sequence on every lane.
        lanes: Parallel streams.
        learning_rate: Peak of the cosine.
        soft_weight: Share of the teacher's term; without soft targets it does not count.
        temperature: Softens both distributions of the teacher's term.
        reset_probability: Share of sequences that start from a zero state.
        tail_frames: The decision is trained on this many last frames of a clip.
        dense_others: Clips of "unknown" and "silence" are trained on all their frames instead.
        embedding_weight: Weight of the distance between what a linear map makes of the hidden
            states and the embedding that the teacher hears; without embeddings it does not count.
        average: Share of its own value that the moving average of the weights keeps at a step; the
            average is what is validated and kept. 0 keeps the weights themselves.
        density: Share of the recurrent weights that stays; the others become zeros.
        prune_from: Share of the run after which the first ones go.
        prune_until: Share of the run after which the last ones are gone.
        hide_frames: Longest stretch of frames of a clip hidden.
        hide_bands: Widest stretch of bands of a clip hidden.
        cell_limit: An LSTM cell that ends a sequence beyond it costs its excess; 0 costs nothing.
        clip_norm: Largest gradient norm.
        evaluate_every: Steps between validations.
        patience: Validations without a new best after which to stop; 0 never stops early.
    """

    kinds: tuple[CellKind, ...] = ("gru",)
    hidden: int = 64
    local: tuple[LocalLayer, ...] = ()
    steps: int = 9000
    lanes: int = 128
    learning_rate: float = 4e-3
    soft_weight: float = 0.8
    temperature: float = 1.0
    reset_probability: float = 0.2
    tail_frames: int = 1
    dense_others: bool = False
    embedding_weight: float = 0.0
    average: float = 0.0
    density: float = 1.0
    prune_from: float = 0.1
    prune_until: float = 0.5
    hide_frames: int = 5
    hide_bands: int = 4
    cell_limit: float = 8.0
    clip_norm: float = 1.0
    evaluate_every: int = 500
    patience: int = 0


@dataclass(frozen=True, eq=False)
class StudentResult:
    """A trained student.

    Attributes:
        model: Its weights at the best validation.
        curves: Training loss and validation metrics.
        best: Best validation score: accuracy, or minus the mean squared error.
        best_step: The step it was reached at.
    """

    model: FloatModel
    curves: Curves
    best: float
    best_step: int


def train_student(
    config: StudentConfig,
    data: TrainingSet,
    soft_targets: Array | None,
    seed: int,
    progress: Progress = silent,
    *,
    embeddings: HeardEmbeddings | None = None,
    name: str = "model",
    stage: str = "student",
) -> StudentResult:
    """Trains the student on streams of the training part.

    Args:
        config: Size and training.
        data: Training and validation part.
        soft_targets: float32, the teacher's logits [N, C] or outputs [N, T, C] for the training
            part; None trains the same student without a teacher.
        seed: Seed of the weights and of the order.
        progress: Told after every validation.
        embeddings: Of the training part, for `embedding_weight`.
        name: Name of the model.
        stage: Name for progress and errors.

    Returns:
        The student.
    """
    make_deterministic(seed)
    network = Network.fresh(
        config.kinds, data.inputs, config.hidden, data.outputs, seed, config.local
    )
    fitted = train_carried(
        stage,
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
            embedding_weight=config.embedding_weight,
            average=config.average,
            pruning=Pruning(config.density, config.prune_from, config.prune_until)
            if config.density < 1.0
            else None,
            hide_frames=config.hide_frames,
            hide_bands=config.hide_bands,
            cell_limit=config.cell_limit,
        ),
        Schedule(
            steps=config.steps,
            learning_rate=config.learning_rate,
            clip_norm=config.clip_norm,
            evaluate_every=config.evaluate_every,
            patience=config.patience,
        ),
        seed,
        progress,
        embeddings=embeddings,
    )
    model = network.model(name, data.task, data.labels)
    return StudentResult(model, fitted.curves, fitted.best, fitted.best_step)
