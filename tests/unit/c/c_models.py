"""Random models and the ways to compile them."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rnn_edge.exporters.base import ExportSource
from rnn_edge.exporters.c_local import LocalForm, whole_layer
from rnn_edge.exporters.c_source import EXPORTER
from rnn_edge.types import GATES, QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.resets import NEVER, ResetPolicy

WARNINGS = (
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wshadow",
    "-Wdouble-promotion",
    "-Wpedantic",
    "-Werror",
)


@dataclass(frozen=True)
class Recipe:
    """What a random model is made of; extremes are what trained models never have."""

    seed: int = 0
    kinds: tuple = ("gru",)
    units: tuple = (7,)
    inputs: int = 5
    outputs: int = 3
    weights: str = "uniform"
    bias: str = "small"
    shifts: str = "usual"
    cell_exponent: int = -10
    name: str = "sample"
    head: str = "linear"
    along: tuple = ()
    """First input, width and step of the stretches of the first layer, whose units are those of a
    stretch; empty for an ordinary one."""

    @property
    def stretches(self):
        """How many the first layer has that fit the inputs."""
        first, width, step = self.along or (0, self.inputs, 1)
        return (self.inputs - first - width) // step + 1


def _matrix(recipe, rng, rows, columns, in_exponent, out_exponent):
    if recipe.weights == "extreme":
        weight = rng.choice([-127, 127], size=(rows, columns))
    elif recipe.weights == "sparse":
        weight = rng.integers(-127, 128, (rows, columns)) * (rng.random((rows, columns)) < 0.1)
    else:
        weight = rng.integers(-127, 128, (rows, columns))
    if recipe.weights == "pruned":
        # Where a gate's rows are no multiple of 4, fewer columns of four of its rows are zeros.
        is_kept = rng.random((-(-rows // 4), columns)) < 0.3
        weight *= np.repeat(is_kept, 4, axis=0)[:rows]
    # About the shift at which the gates are neither dead nor all saturated.
    usual = 22 + int(np.log2(columns) / 2)
    if recipe.shifts == "any":
        shift = rng.integers(1, 47, rows)
    elif recipe.shifts == "large":
        shift = rng.integers(33, 47, rows)
    else:
        shift = usual + rng.integers(-1, 5, rows)
    mantissa = rng.integers(1 << 14, 1 << 15, rows) / 2.0**15
    scale = np.ldexp(mantissa, 15 - shift - in_exponent + out_exponent).astype(np.float32)
    limit = {"none": 0, "small": 1 << 22, "int32": (1 << 31) - 1, "int64": 1 << 46}[recipe.bias]
    bias = rng.integers(-limit, limit + 1, rows)
    return QuantizedMatrix(weight, scale, bias, in_exponent, out_exponent)


def build(recipe):
    rng = np.random.default_rng(recipe.seed)
    first, width, step = recipe.along or (0, recipe.inputs, 1)
    layers, columns, exponent = [], width, int(rng.integers(-15, 1))
    for kind, units in zip(recipe.kinds, recipe.units, strict=True):
        rows = len(GATES[kind]) * units
        layer = QuantizedLayer(
            kind,
            _matrix(recipe, rng, rows, columns, exponent, -11),
            _matrix(recipe, rng, rows, units, -15, -11),
            recipe.cell_exponent if kind == "lstm" else None,
        )
        if recipe.along and not layers:
            layer = whole_layer(LocalForm(layer, first, step, recipe.stretches), recipe.inputs)
        layers.append(layer)
        columns, exponent = layer.hidden, -15
    head = _matrix(recipe, rng, recipe.outputs, columns, -15, int(rng.integers(-15, 1)))
    labels = tuple(f"label {k}" for k in range(recipe.outputs))
    return QuantizedModel(recipe.name, "kws", tuple(layers), head, labels, recipe.head)


def frames(recipe, steps):
    """Noise, then both ends of int16, then silence."""
    rng = np.random.default_rng(recipe.seed + 1)
    x = rng.integers(-32768, 32768, (steps, recipe.inputs)).astype(np.int16)
    third = steps // 3
    x[third : 2 * third] = rng.choice(np.array([-32768, 32767], np.int16), (third, recipe.inputs))
    x[-third // 2 :] = 0
    return x


def export(model, folder: Path, reset: ResetPolicy = NEVER) -> Path:
    EXPORTER.export(ExportSource(None, model, reset=reset), folder)
    return folder / "c"


def tool(name):
    """The path of a program; the test skips where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def succeed(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
