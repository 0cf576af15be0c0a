"""Models of a given one's size whose units can all be driven down the longest path at once.

How many instructions a step takes depends on the sizes of the matrices, and in each unit on signs
and saturation: branches of the activations and of rounding. In a trained model units take different
paths at any one step, so that no stream shows the longest step that there could be. Here every unit
of a layer has the same weights, each gate follows an input of its own, and gains are above one: a
frame and a state decide the path of all units together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.types import GATES, Array, QuantizedLayer, QuantizedMatrix, QuantizedModel
from rnn_edge.types.resets import ResetPolicy

NAME = "stress"
LEVELS = (-32768, -20000, -6000, -300, -1, 0, 1, 300, 6000, 20000, 32767)
"""Values of inputs and states: both ends, what saturates, what rounds either way, and nothing."""
BATCHES, FRAMES = 160, 4
"""Frames are stepped from so many states; the state then goes its own way for a few steps."""
SEED = 17
_GAIN = 2.0
_NARROW, _WIDE = 127, 2
"""The weight, by the form that the kernels are to take: a small one needs a multiplier that the
narrow form has no shift for."""


def stress_models(model: QuantizedModel) -> tuple[QuantizedModel, ...]:
    """Return a model for each layer of a given one; together they do all that it does, and more.

    Args:
        model: The model whose longest step is wanted.
    """
    last = len(model.layers) - 1
    made = []
    for k, layer in enumerate(model.layers):
        gates, units = len(GATES[layer.kind]), layer.hidden
        # Gate g of every unit follows input g; where there are fewer inputs, gates share them.
        columns = np.repeat(np.arange(gates) % layer.x.weight.shape[1], units)
        x = _driven(layer.x, columns, f"layer{k}.x")
        h = _driven(layer.h, np.zeros(gates * units, np.intp), f"layer{k}.h")
        head = _head(model.head) if k == last else _one_row(model.head, units)
        made.append(
            QuantizedModel(
                NAME,
                model.task,
                (QuantizedLayer(layer.kind, x, h, layer.cell_exponent),),
                head,
                model.labels if k == last else model.labels[:1],
                model.head_kind if k == last else "linear",
            )
        )
    return tuple(made)


def stress_policy(policy: ResetPolicy) -> ResetPolicy:
    """Return a reset policy that does all that a given one does within a few frames."""
    return replace(policy, frames=min(policy.frames, 2))


def stress_batches(model: QuantizedModel) -> Iterator[tuple[dict[str, Array], Array]]:
    """Yield states by name, int16 (H,), and frames int16 (T, D) to step from each.

    Args:
        model: One of `stress_models`.
    """
    generator = np.random.Generator(np.random.PCG64(SEED))
    for k in range(BATCHES):
        state = {
            name: np.full(size, generator.choice(LEVELS), np.int16)
            for name, size in model.state_sizes.items()
        }
        frames = generator.choice(LEVELS, (FRAMES, model.inputs)).astype(np.int16)
        if k < len(LEVELS):
            frames[:] = LEVELS[k]
        yield state, frames


def _driven(matrix: QuantizedMatrix, columns: Array, name: str) -> QuantizedMatrix:
    """Return a matrix of a given one's size and form, each row of which follows one column."""
    weight = _NARROW if c_matrix(matrix, name).is_narrow else _WIDE
    weights = np.zeros(matrix.weight.shape, np.int64)
    weights[np.arange(len(columns)), columns] = weight
    return _scaled(matrix, weights, weight)


def _head(matrix: QuantizedMatrix) -> QuantizedMatrix:
    weight = _NARROW if c_matrix(matrix, "head").is_narrow else _WIDE
    weights = np.zeros(matrix.weight.shape, np.int64)
    weights[:, 0] = weight * (-1) ** np.arange(len(weights))
    return _scaled(matrix, weights, weight)


def _one_row(matrix: QuantizedMatrix, columns: int) -> QuantizedMatrix:
    weights = np.zeros((1, columns), np.int64)
    weights[0, 0] = _NARROW
    return _scaled(matrix, weights, _NARROW)


def _scaled(matrix: QuantizedMatrix, weights: Array, weight: int) -> QuantizedMatrix:
    exponents = matrix.input_exponent, matrix.output_exponent
    # The mantissa of a row's scale has 15 bits.
    mantissa, power = np.frexp(_GAIN / weight)
    shift = int(power) + exponents[1] - exponents[0]
    scale = np.ldexp(np.floor(mantissa * 2**15) / 2**15, shift)
    rows = len(weights)
    return QuantizedMatrix(
        weights, np.full(rows, scale, np.float32), np.zeros(rows, np.int64), *exponents
    )
