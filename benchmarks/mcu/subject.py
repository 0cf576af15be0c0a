"""What is measured: models of usual sizes, exported, with frames and what they have to give."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_source import EXPORTER, sources_in
from rnn_edge.quantize import calibrate, quantize_input, quantize_model
from rnn_edge.reference import IntegerReference
from rnn_edge.types import (
    GATES,
    Array,
    CellKind,
    DenseWeights,
    FloatModel,
    QuantizedModel,
    RecurrentWeights,
)
from rnn_edge.types.c_choices import CChoices

NAME = "benchmark"
LABELS = 12
STEPS = 16
"""As many frames are stepped; FRAMES in the C."""


@dataclass(frozen=True)
class Shape:
    """Cell, units and inputs of a model with one layer and a softmax over `LABELS`."""

    cell: CellKind
    hidden: int
    inputs: int

    @property
    def macs(self) -> int:
        """Multiply-adds of the cell; those of the head are little beside them."""
        return len(GATES[self.cell]) * self.hidden * (self.inputs + self.hidden)

    @property
    def title(self) -> str:
        return f"{self.cell.upper()} H={self.hidden} I={self.inputs}"


SHAPES = tuple(
    Shape(cell, hidden, inputs)
    for cell, (hidden, inputs) in itertools.product(
        ("lstm", "gru"), ((32, 40), (64, 40), (128, 40), (32, 8))
    )
)


@dataclass(frozen=True, eq=False)
class Subject:
    """An exported model.

    Attributes:
        shape: Its sizes.
        model: It.
        sources: The C that was exported.
        frames: int16 (T, D).
        hashed: Of all outputs and the last state, as the C computes it.
    """

    shape: Shape
    model: QuantizedModel
    sources: tuple[Path, ...]
    frames: Array
    hashed: int


def subject(shape: Shape, choices: CChoices, folder: Path, density: float = 1.0) -> Subject:
    """Export a model; how long a step takes hardly depends on what it learned.

    Args:
        shape: Its sizes.
        choices: How its C is.
        folder: For the export.
        density: Share of the columns that each four rows of the cell keep, by fours.
    """
    generator = np.random.Generator(np.random.PCG64(0))
    rows = len(GATES[shape.cell]) * shape.hidden
    layer = RecurrentWeights(
        shape.cell,
        *(
            _pruned(generator.normal(0, columns**-0.5, (rows, columns)), density)
            for columns in (shape.inputs, shape.hidden)
        ),
        np.zeros(rows),
        np.zeros(rows),
    )
    head = DenseWeights(
        generator.normal(0, shape.hidden**-0.5, (LABELS, shape.hidden)), np.zeros(LABELS)
    )
    labels = tuple(f"c{k}" for k in range(LABELS))
    floats = FloatModel(NAME, "kws", (layer,), head, labels, "softmax")
    x = generator.normal(0, 1, (400, shape.inputs)).astype(np.float32)
    model = quantize_model(floats, calibrate(floats, x[None]))
    frames = quantize_input(x[:STEPS], model.input_exponent)
    EXPORTER.export(ExportSource(floats, model, c=choices), folder)
    trace = IntegerReference(model).run(frames[None])
    state = np.concatenate([value[0, -1] for value in trace.states.values()])
    hashed = _hash(np.concatenate([trace.outputs[0].ravel(), state]))
    return Subject(shape, model, tuple(sources_in(model, folder)), frames, hashed)


def _pruned(weights: Array, density: float) -> Array:
    """Return a matrix with zeros in all but some columns of each four rows."""
    if density == 1.0:
        return weights
    rows, columns = weights.shape
    generator = np.random.Generator(np.random.PCG64(1))
    order = generator.random((-(-rows // 4), columns)).argsort(axis=1)
    is_kept = order < 4 * max(1, round(density * columns / 4))
    return np.where(is_kept.repeat(4, axis=0)[:rows], weights, 0.0)


def frames_header(frames: Array) -> str:
    """Return the frames as C."""
    rows = ",\n".join("    {" + ", ".join(map(str, row)) + "}" for row in frames.tolist())
    count, inputs = frames.shape
    return (
        "#include <stdint.h>\n"
        f"enum {{ FRAMES = {count} }};\n"
        f"static const int16_t frames[{count}][{inputs}] = {{\n{rows},\n}};\n"
    )


def _hash(values: Array) -> int:
    """Return FNV-1a over int16 values, each taken at once."""
    value = 2166136261
    for each in values.astype(np.uint16).tolist():
        value = ((value ^ each) * 16777619) & 0xFFFFFFFF
    return value
