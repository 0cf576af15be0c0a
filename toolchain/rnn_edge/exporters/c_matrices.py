"""The matrices of a model by name, in the form that its C has them in."""

from __future__ import annotations

from rnn_edge.exporters.c_arrays import CMatrix, c_matrix
from rnn_edge.exporters.c_kept import KeptColumns, kept_columns
from rnn_edge.types import GATES, QuantizedModel


def gates_of(model: QuantizedModel) -> dict[str, int]:
    """Return of how many gates the rows of each matrix are."""
    gates = {
        f"layer{k}.{part}": len(GATES[layer.kind])
        for k, layer in enumerate(model.layers)
        for part in ("x", "h")
    }
    return {**gates, "head": 1}


def forms_of(model: QuantizedModel) -> dict[str, CMatrix]:
    """Return the kernels' form of each matrix.

    Raises:
        ModelError: If one fits none.
    """
    return {name: c_matrix(matrix, name) for name, matrix in model.matrices.items()}


def kept_of(model: QuantizedModel) -> dict[str, KeptColumns | None]:
    """Return the columns of each matrix that leaves others out, None of one that is whole."""
    gates = gates_of(model)
    return {
        name: kept_columns(form.weight, gates[name]) if form.is_narrow else None
        for name, form in forms_of(model).items()
    }
