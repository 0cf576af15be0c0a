"""Sections [augment], [teacher], [student] and [qat]: how weights are found."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rnn_edge.spec.model import CellName, Hidden, Layers
from rnn_edge.spec.section import Natural, Section, Share

Steps = Annotated[int, Field(ge=1, le=1_000_000)]
Lanes = Annotated[int, Field(ge=1, le=4096)]
LearningRate = Annotated[float, Field(gt=0.0, le=1.0)]
Temperature = Annotated[float, Field(ge=0.1, le=100.0)]
ClipNorm = Annotated[float, Field(gt=0.0, le=1000.0)]
Frames = Annotated[int, Field(ge=0, le=1000)]
Decibels = Annotated[float, Field(ge=-60.0, le=100.0)]


class AugmentSection(Section):
    """How far an altered copy of a clip may be from the clip."""

    copies: Annotated[int, Field(ge=1, le=1000)] = 10
    """Copies per clip of a class of median size; every keyword gets as many."""

    others: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    """Copies of "unknown" and of "silence" for one of a keyword: what listens all day hears far
    more of them."""

    noise_as_silence: bool = False
    """Clips of "silence" are cut out of data.noise_recordings, too, as many again."""

    shift_ms: Annotated[float, Field(ge=0.0, le=1000.0)] = 100.0
    """Largest shift in time, either way."""

    speed: Annotated[float, Field(ge=0.0, le=0.5)] = 0.1
    """Largest relative change of speed and pitch, either way."""

    gain_db: Annotated[float, Field(ge=0.0, le=60.0)] = 6.0
    """Largest change of level, either way."""

    noise_probability: Share = 0.5
    """Share of copies that get noise."""

    speech_as_noise: Share = 0.0
    """Share of the copies with noise whose noise is other words of the training part, as they are
    heard where people talk. Clips of "silence" get none."""

    snr_low_db: Decibels = 10.0
    """Loudest noise, relative to the clip."""

    snr_high_db: Decibels = 30.0
    """Quietest noise."""

    @model_validator(mode="after")
    def _check_noise(self) -> Self:
        """Refuse a range of ratios that is upside down, and a share of nothing."""
        if self.snr_low_db > self.snr_high_db:
            raise ValueError(
                f"snr_low_db = {self.snr_low_db:g} is over snr_high_db = {self.snr_high_db:g}"
            )
        if self.speech_as_noise and not self.noise_probability:
            raise ValueError(
                f"speech_as_noise = {self.speech_as_noise:g} is a share of the copies with noise, "
                "and noise_probability = 0 has none"
            )
        return self


class TeacherSection(Section):
    """Size and training of the teacher, which never runs on a device."""

    kind: CellName | Literal["embedding"] = "gru"
    """The cell; or "embedding": heads on a frozen embedding of speech (task "kws", 16 kHz)."""

    hidden: Hidden = 128
    """Units of each direction of each layer; filters of a head on embeddings."""

    layers: Layers = 2
    """Layers."""

    stack: Annotated[int, Field(ge=1, le=16)] = 3
    """Frames joined into one step of the teacher."""

    steps: Steps = 3000
    """Optimiser steps."""

    batch: Lanes = 128
    """Sequences per step."""

    learning_rate: LearningRate = 0.004
    """Peak of the cosine."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.4
    """Share of each layer's outputs dropped in training."""

    hide_frames: Frames = 8
    """Longest stretch of frames hidden in training."""

    hide_bands: Frames = 6
    """Widest stretch of bands hidden in training."""

    mixup: Annotated[float, Field(ge=0.0, le=10.0)] = 0.3
    """Concentration of the share of the larger of two mixed clips; 0 mixes none."""

    clip_norm: ClipNorm = 1.0
    """Largest gradient norm."""

    evaluate_every: Steps = 250
    """Steps between validations."""

    patience: Natural = 0
    """Validations without a new best after which to stop; 0 never stops early."""

    folds: Annotated[int, Field(ge=2, le=16)] = 4
    """Heads on embeddings, each trained without one share of the speakers, whose clips it then
    answers for."""


class StudentSection(Section):
    """Training of the student; its size is in [model]."""

    steps: Steps = 9000
    """Optimiser steps, each one sequence on every lane."""

    lanes: Lanes = 128
    """Parallel streams."""

    learning_rate: LearningRate = 4e-3
    """Peak of the cosine."""

    soft_weight: Share = 0.8
    """Share of the teacher's targets in the loss; the rest are the labels."""

    temperature: Temperature = 1.0
    """Softens both distributions of the teacher's term."""

    reset_probability: Share = 0.2
    """Share of sequences that start from a zero state; the others carry on."""

    tail_frames: Annotated[int, Field(ge=1, le=1000)] = 1
    """The decision is trained on this many last frames of a clip."""

    dense_others: bool = False
    """Clips of "unknown" and "silence" are trained on all their frames instead (task "kws")."""

    embedding_weight: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0
    """Weight of telling the embedding that the teacher hears from the hidden states, by a linear
    map that is thrown away afterwards (teacher.kind = "embedding")."""

    average: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of its own value that a moving average of the weights keeps at a step, e.g. 0.999; the
    average is validated and kept instead of the weights. 0 keeps the weights themselves."""

    density: Annotated[float, Field(ge=0.01, le=1.0)] = 1.0
    """Share of the weights of the recurrent layers that stays, any four columns of four rows at a
    time; the others become zeros, which the C leaves out where they are enough. 1 keeps all."""

    prune_from: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of the run after which the first ones go."""

    prune_until: Annotated[float, Field(gt=0.0, le=0.8)] = 0.5
    """Share of the run after which the last ones are gone; weights are kept from later steps."""

    hide_frames: Frames = 5
    """Longest stretch of frames hidden in training."""

    hide_bands: Frames = 4
    """Widest stretch of bands hidden in training."""

    cell_limit: Annotated[float, Field(ge=0.0, le=200.0)] = 8.0
    """An LSTM cell that ends a sequence beyond it costs its excess; 0 costs nothing."""

    clip_norm: ClipNorm = 1.0
    """Largest gradient norm."""

    evaluate_every: Steps = 500
    """Steps between validations."""

    patience: Natural = 0
    """Validations without a new best after which to stop; 0 never stops early."""

    @model_validator(mode="after")
    def _check_pruning(self) -> Self:
        if self.prune_from >= self.prune_until:
            raise ValueError(
                f"prune_from = {self.prune_from:g}, prune_until = {self.prune_until:g}; expected "
                "the first share of the run to be less than the second"
            )
        if self.density < 1.0 and self.patience:
            raise ValueError(
                f"density = {self.density:g} with patience = {self.patience}; expected "
                "patience = 0, as the best validation may come before weights are gone"
            )
        return self


class QatSection(Section):
    """Fine-tuning with the integer arithmetic in the forward pass, on carried state."""

    steps: Steps = 1500
    """Optimiser steps, each one sequence on every lane."""

    lanes: Lanes = 128
    """Parallel streams."""

    learning_rate: LearningRate = 1e-3
    """Peak of the cosine."""

    soft_weight: Share = 0.8
    """Share of the teacher's targets in the loss; the rest are the labels."""

    temperature: Temperature = 1.0
    """Softens both distributions of the teacher's term."""

    reset_probability: Share = 0.2
    """Share of sequences that start from a zero state; the others carry on."""

    tail_frames: Annotated[int, Field(ge=1, le=1000)] = 1
    """The decision is trained on this many last frames of a clip."""

    dense_others: bool = False
    """Clips of "unknown" and "silence" are trained on all their frames instead (task "kws")."""

    hide_frames: Frames = 5
    """Longest stretch of frames hidden in training."""

    hide_bands: Frames = 4
    """Widest stretch of bands hidden in training."""

    cell_limit: Annotated[float, Field(ge=0.0, le=200.0)] = 8.0
    """An LSTM cell that ends a sequence beyond it costs its excess; 0 costs nothing."""

    pull: Share = 0.1
    """How far weights are drawn onto the int8 grid by the last steps; 0 does not draw them."""

    trajectory_weight: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.1
    """Weight of the mean square distance, in percent of full scale, from the float trajectory."""

    clip_norm: ClipNorm = 1.0
    """Largest gradient norm."""

    evaluate_every: Steps = 250
    """Steps between validations."""
