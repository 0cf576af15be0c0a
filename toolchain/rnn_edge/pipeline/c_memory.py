"""What the generated C keeps in memory, by the order that a target's weights lie in."""

from __future__ import annotations

from typing import Literal

from rnn_edge.exporters.c_arrays import CMatrix
from rnn_edge.exporters.c_blocks import block_weights
from rnn_edge.exporters.c_kept import KeptColumns
from rnn_edge.exporters.c_matrices import (
    forms_of,
    gates_of,
    kept_in,
    stored_matrices,
    times_taken,
)
from rnn_edge.exporters.c_source import scratch_values
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel
from rnn_edge.types.c_choices import DEFAULT, CChoices
from rnn_edge.types.saved_state import blob_bytes

Order = Literal["rows", "blocks", "words"]
"""In rows as they are; in blocks, padded to multiples of 4; in blocks of two bytes each."""

_IN_ROWS = frozenset({"armv8.1-m.main", "xtensa-lx7"})
_IN_WORDS = frozenset({"armv6", "armv7e-m", "armv8-m.main", "xtensa-lx7"})


def largest_order(choices: CChoices) -> Order:
    """Return the order that takes the most flash of those that a target may take."""
    if choices.optimize == "size":
        return "rows"
    return "words" if choices.weights == "int16" else "blocks"


def order_on(device: DeviceSpec, choices: CChoices) -> Order:
    """Return the order that a device's compiler takes, as ``rnn_edge_target.h`` chooses it."""
    largest = largest_order(choices)
    if largest == "words" and device.isa in _IN_WORDS:
        return "words"
    return "rows" if largest == "rows" or device.isa in _IN_ROWS else "blocks"


def weight_bytes(form: CMatrix, rows: int, columns: int, gates: int, order: Order) -> int:
    """Return the bytes of the weights of a matrix of which nothing is left out.

    Args:
        form: The kernels' form of a matrix; the wide one has its weights in rows.
        rows: Of all gates together.
        columns: Its columns.
        gates: How many gates the rows are of.
        order: In which it would lie in the narrow form.
    """
    if order == "rows" or not form.is_narrow:
        return rows * columns
    return block_weights(rows, columns, gates) * (2 if order == "words" else 1)


def kept_bytes(kept: KeptColumns, order: Order) -> int:
    """Return the bytes of the columns that a matrix keeps, and of their numbers."""
    return kept.blocks.size * (2 if order == "words" else 1) + kept.index_bytes


def macs_of(model: QuantizedModel) -> int:
    """Return the multiply-accumulates of a step of the C, which leaves out columns of zeros."""
    stored, times = stored_matrices(model), times_taken(model)
    kept = kept_in(forms_of(model), gates_of(model))
    return sum(
        times[name] * (matrix.rows * matrix.columns if own is None else own.blocks.size)
        for (name, matrix), own in zip(stored.items(), kept.values(), strict=True)
    )


def memory_of(
    model: QuantizedModel, choices: CChoices = DEFAULT, order: Order | None = None
) -> dict[str, int]:
    """Return what the generated C keeps in memory.

    Args:
        model: The model.
        choices: How its C is.
        order: Of the weights on a target; None for the one that takes the most.

    Returns:
        Bytes of the matrices' arrays ("weights", with the numbers of columns where others are
        left out, "biases", "multipliers", "shifts" and their sum, "constants"), of one stream's
        state ("state", carried, and "scratch", within a step), of a frame and a result ("frame",
        "result"), and of a state saved for another machine ("saved_state"). Code, the kernels'
        tables and the stack depend on the target and are not among them.
    """
    chosen, gates, forms = order or largest_order(choices), gates_of(model), forms_of(model)
    kept = kept_in(forms, gates)
    parts = {
        "weights": sum(
            weight_bytes(form, matrix.rows, matrix.columns, gates[name], chosen)
            if blocks is None
            else kept_bytes(blocks, chosen)
            for (name, matrix), form, blocks in zip(
                stored_matrices(model).items(), forms.values(), kept.values(), strict=True
            )
        ),
        "biases": sum(form.bias.size * (4 if form.is_narrow else 8) for form in forms.values()),
        "multipliers": sum(form.multiplier.size * 4 for form in forms.values()),
        "shifts": sum(form.wide_shift.size for form in forms.values()),
    }
    return {
        **parts,
        "constants": sum(parts.values()),
        "state": 2 * sum(model.state_sizes.values()),
        "scratch": 2 * scratch_values(model, choices),
        "frame": 2 * model.inputs,
        "result": 2 * model.outputs,
        "saved_state": blob_bytes(model),
    }
