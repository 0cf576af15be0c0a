"""The layers of a model as C: structures over the arrays of their matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rnn_edge.exporters.c_local import LocalForm
from rnn_edge.types import GATES, QuantizedLayer


def layers_text(
    name: str,
    layers: Sequence[QuantizedLayer],
    along: Sequence[LocalForm | None],
    matrices: Mapping[str, str],
) -> str:
    """Return the definition of the array of layers, and before it of what it points to.

    Args:
        name: Of the model.
        layers: From input to output.
        along: Of each layer that of one stretch, None where it has none.
        matrices: Initialisers of stored matrices by their names.
    """
    stretches, rows = [], []
    for k, (layer, form) in enumerate(zip(layers, along, strict=True)):
        one = layer if form is None else form.one
        row = _layer(one, matrices[f"layer{k}.x"], matrices[f"layer{k}.h"])
        if form is not None:
            stretches.append(
                f"/* of layer {k}: the layer of one stretch, and where the others are */\n"
                f"static const rnn_edge_local {name}_layer{k}_local = {{\n{row},\n"
                f"    {form.first}, {form.step}, {form.stretches}}};\n\n"
            )
            row = _of_stretches(layer, f"{name}_layer{k}_local")
        rows.append(row)
    own = ",\n".join(rows)
    return (
        f"{''.join(stretches)}/* [{len(layers)}], from input to output */\n"
        f"static const rnn_edge_layer {name}_layers[] = {{\n{own},\n}};\n\n"
    )


def _layer(layer: QuantizedLayer, x: str, h: str) -> str:
    """Return the initialiser of an ``rnn_edge_layer`` over those of its matrices."""
    return (
        f"    {{rnn_edge_{layer.kind}_step,\n     {x},\n     {h},\n"
        f"     {layer.hidden}, {layer.hidden * (1 if layer.cell_exponent is None else 2)},"
        f" {layer.cell_exponent or 0}, NULL}}"
    )


def _of_stretches(layer: QuantizedLayer, local: str) -> str:
    """Return the initialiser of an ``rnn_edge_layer`` whose stretches another structure has."""
    gates = len(GATES[layer.kind])
    x, h = (
        f"{{NULL, NULL, NULL, NULL, NULL, NULL, {matrix.rows // gates}, {matrix.columns}, 0, NULL}}"
        for matrix in (layer.x, layer.h)
    )
    return (
        f"    {{rnn_edge_local_step,\n     {x},\n     {h},\n"
        f"     {layer.hidden}, {layer.hidden}, 0, &{local}}}"
    )
