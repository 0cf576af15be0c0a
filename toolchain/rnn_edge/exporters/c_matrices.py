"""The matrices of a model by name, in the form that its C has them in."""

from __future__ import annotations

from collections.abc import Mapping

from rnn_edge.exporters.c_arrays import CMatrix, c_matrix
from rnn_edge.exporters.c_kept import KeptColumns, kept_columns
from rnn_edge.exporters.c_local import LocalForm, local_form
from rnn_edge.types import GATES, QuantizedLayer, QuantizedMatrix, QuantizedModel


def gates_of(model: QuantizedModel) -> dict[str, int]:
    """Return of how many gates the rows of each matrix are."""
    gates = {
        f"layer{k}.{part}": len(GATES[layer.kind])
        for k, layer in enumerate(model.layers)
        for part in ("x", "h")
    }
    return {**gates, "head": 1}


def locals_of(model: QuantizedModel) -> tuple[LocalForm | None, ...]:
    """Return of each layer the form of one stretch, None where it has no stretches."""
    return tuple(local_form(layer) for layer in model.layers)


def stored_layers(model: QuantizedModel) -> tuple[QuantizedLayer, ...]:
    """Return the layers that are stored: that of one stretch, where all have the same."""
    pairs = zip(model.layers, locals_of(model), strict=True)
    return tuple(layer if local is None else local.one for layer, local in pairs)


def stored_matrices(model: QuantizedModel) -> dict[str, QuantizedMatrix]:
    """Return the matrices that are stored: those of one stretch, where all have the same."""
    stored: dict[str, QuantizedMatrix] = {}
    for k, layer in enumerate(stored_layers(model)):
        stored |= {f"layer{k}.x": layer.x, f"layer{k}.h": layer.h}
    return {**stored, "head": model.head}


def times_taken(model: QuantizedModel) -> dict[str, int]:
    """Return how often a step takes each matrix."""
    stretches = [1 if local is None else local.stretches for local in locals_of(model)]
    taken = {f"layer{k}.{part}": n for k, n in enumerate(stretches) for part in ("x", "h")}
    return {**taken, "head": 1}


def forms_of(model: QuantizedModel) -> dict[str, CMatrix]:
    """Return the kernels' form of each stored matrix.

    Raises:
        ModelError: If one fits none.
    """
    return {name: c_matrix(matrix, name) for name, matrix in stored_matrices(model).items()}


def kept_of(model: QuantizedModel) -> dict[str, KeptColumns | None]:
    """Return the columns of each matrix that leaves others out, None of one that is whole."""
    return kept_in(forms_of(model), gates_of(model))


def kept_in(
    forms: Mapping[str, CMatrix], gates: Mapping[str, int]
) -> dict[str, KeptColumns | None]:
    """Return the same of matrices whose forms and gates are at hand."""
    return {
        name: kept_columns(form.weight, gates[name]) if form.is_narrow else None
        for name, form in forms.items()
    }
