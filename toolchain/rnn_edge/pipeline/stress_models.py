"""Models of a given one's size whose units can all be driven down the longest path at once.

How many instructions a step takes depends on the sizes of the matrices, and in each unit on signs
and saturation: branches of the activations and of rounding. In a trained model units take different
paths at any one step, so that no stream shows the longest step that there could be. Here every unit
of a layer has the same weights, each gate follows an input of its own, and gains are above one: a
frame and a state decide the path of all units together. Rows have as many weights as those of the
given model, so that the C leaves out no more than there: inputs that no gate follows are zeros, and
the weights of states, which are all alike, cancel but for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from rnn_edge.exporters.c_blocks import SIDE, padded
from rnn_edge.exporters.c_kept import KeptColumns
from rnn_edge.exporters.c_local import local_form, whole_layer
from rnn_edge.exporters.c_matrices import forms_of, gates_of, kept_of, locals_of, stored_matrices
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
    forms, kept, all_gates = forms_of(model), kept_of(model), gates_of(model)
    stored = stored_matrices(model)

    def weights(name: str, row: _Row) -> QuantizedMatrix:
        matrix, gates = stored[name], all_gates[name]
        if forms[name].is_narrow:
            found, weight = _by_rows(matrix, kept[name], gates, row), _NARROW
        else:
            found, weight = _of_one_column(matrix, gates), _WIDE
        if name == "head":
            found *= (-1) ** np.arange(len(found))[:, None]
        return _scaled(matrix, found, weight)

    made = []
    for k, (layer, along) in enumerate(zip(model.layers, locals_of(model), strict=True)):
        gates = len(GATES[layer.kind])
        x = weights(f"layer{k}.x", partial(_of_inputs, gates=gates))
        h = weights(f"layer{k}.h", _of_states)
        head = weights("head", _of_states) if k == last else _one_row(model.head, layer.hidden)
        stressed = QuantizedLayer(layer.kind, x, h, layer.cell_exponent)
        if along is not None:
            stressed = whole_layer(replace(along, one=stressed), layer.inputs)
        made.append(
            QuantizedModel(
                NAME,
                model.task,
                (stressed,),
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
    heard = _gates_heard(model)
    for k in range(BATCHES):
        state = {
            name: np.full(size, generator.choice(LEVELS), np.int16)
            for name, size in model.state_sizes.items()
        }
        frames = generator.choice(LEVELS, (FRAMES, model.inputs)).astype(np.int16)
        if k < len(LEVELS):
            frames[:] = LEVELS[k]
        frames = np.where(heard >= 0, frames[:, heard], 0).astype(np.int16)
        yield state, frames


def _gates_heard(model: QuantizedModel) -> Array:
    """Return for each input which gate follows it, int64 (D,), and -1 for none.

    Stretches of a local layer all hear the same. Where they lie closer than gates are many, some
    gates follow the input of another one.
    """
    layer = model.layers[0]
    along = local_form(layer)
    first, step = (0, 0) if along is None else (along.first, along.step)
    places = np.arange(model.inputs) - first
    heard = places % step if step else places
    return np.where((places >= 0) & (heard < len(GATES[layer.kind])), heard, -1)


_Row = Callable[[int, int, int], Array]
"""Weights of one row by its gate, the columns that it has, and all columns."""


def _by_rows(matrix: QuantizedMatrix, kept: KeptColumns | None, gates: int, row: _Row) -> Array:
    """Return weights of as many columns in each row as a matrix has, int64 (N, K)."""
    columns = matrix.columns
    rows = matrix.rows // gates
    strips = gates * padded(rows) // SIDE
    own = np.full(strips, columns)
    if kept is not None:
        own = np.minimum(SIDE * np.diff(kept.starts.astype(np.int64)), columns)
    of_gates = own.reshape(gates, -1).repeat(SIDE, axis=1)[:, :rows]
    return np.stack(
        [row(gate, int(count), columns) for gate in range(gates) for count in of_gates[gate]]
    )


def _of_inputs(gate: int, count: int, columns: int, gates: int) -> Array:
    """Return a row that follows the input of its gate; fewer inputs than gates are shared.

    Other inputs are zeros in `stress_batches`. Where a row has nearly all columns, the inputs of
    the other gates have a small part in it.
    """
    weights = np.zeros(columns, np.int64)
    driver = gate % columns
    others = [*range(gates, columns), *(c for c in range(min(gates, columns)) if c != driver)]
    weights[others[: count - 1]] = 1
    weights[driver] = _NARROW
    return weights


def _of_states(gate: int, count: int, columns: int) -> Array:
    """Return a row that follows the state, which is the same in every unit; signs alternate."""
    weights = np.zeros(columns, np.int64)
    weights[:count] = (-1) ** np.arange(1, count + 1)
    weights[0] = _NARROW - (count - 1) % 2
    return weights


def _of_one_column(matrix: QuantizedMatrix, gates: int) -> Array:
    """Return rows of one weight each, for the wide form, which leaves nothing out."""
    weights = np.zeros((matrix.rows, matrix.columns), np.int64)
    drivers = np.repeat(np.arange(gates) % matrix.columns, matrix.rows // gates)
    weights[np.arange(matrix.rows), drivers] = _WIDE
    return weights


def _one_row(matrix: QuantizedMatrix, columns: int) -> QuantizedMatrix:
    return _scaled(matrix, _of_states(0, columns, columns)[None], _NARROW)


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
