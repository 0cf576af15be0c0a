"""Layers whose stretches of inputs have the same units with the same weights: stored once in C."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnn_edge.types import GATES, Array, QuantizedLayer, QuantizedMatrix


@dataclass(frozen=True, eq=False)
class LocalForm:
    """A layer as that of one stretch, which is taken along all of them.

    Attributes:
        one: The layer of one stretch.
        first: Input that the first stretch begins with.
        step: Inputs from one stretch to the next.
        stretches: How many there are, at least two.
    """

    one: QuantizedLayer
    first: int
    step: int
    stretches: int


def local_form(layer: QuantizedLayer) -> LocalForm | None:
    """Return the layer of one stretch, the smallest there is, or None where stretches differ.

    An LSTM has none: the states of its stretches do not lie one after the other.
    """
    if layer.cell_exponent is not None:
        return None
    for units in range(1, layer.hidden // 2 + 1):
        if layer.hidden % units == 0:
            found = _of_units(layer, units)
            if found is not None:
                return found
    return None


def _of_units(layer: QuantizedLayer, units: int) -> LocalForm | None:
    gates, stretches = len(GATES[layer.kind]), layer.hidden // units
    shape = (gates, stretches, units)
    for matrix in (layer.x, layer.h):
        for values in (matrix.weight_scale, matrix.bias):
            by_stretch = values.reshape(shape)
            if (by_stretch != by_stretch[:, :1]).any():
                return None
    h = layer.h.weight.reshape(*shape, stretches, units)
    x = layer.x.weight.reshape(*shape, layer.inputs)
    used: Array = np.any(x, axis=(0, 2))
    if not used.any(axis=1).all():
        return None
    begin = used.argmax(axis=1)
    width = int((layer.inputs - used[:, ::-1].argmax(axis=1) - begin).max())
    step = int(begin[1] - begin[0])
    places = begin[0] + step * np.arange(stretches)
    if step < 0 or (begin != places).any() or places[-1] + width > layer.inputs:
        return None
    own_x = x[:, 0, :, begin[0] : begin[0] + width].reshape(gates * units, width)
    own_h = h[:, 0, :, 0].reshape(gates * units, units)
    rows = np.arange(gates * layer.hidden).reshape(shape)[:, 0].reshape(-1)
    one = QuantizedLayer(
        layer.kind, _part(layer.x, own_x, rows), _part(layer.h, own_h, rows), layer.cell_exponent
    )
    form = LocalForm(one, int(begin[0]), step, stretches)
    whole = whole_layer(form, layer.inputs)
    same = (whole.x.weight == layer.x.weight).all() and (whole.h.weight == layer.h.weight).all()
    return form if same else None


def _part(matrix: QuantizedMatrix, weight: Array, rows: Array) -> QuantizedMatrix:
    return replace(
        matrix, weight=weight, weight_scale=matrix.weight_scale[rows], bias=matrix.bias[rows]
    )


def whole_layer(form: LocalForm, inputs: int) -> QuantizedLayer:
    """Return the layer of all stretches.

    Args:
        form: One stretch, and where the others are.
        inputs: Input features D of all.
    """
    one, stretches = form.one, form.stretches
    gates, units, width = len(GATES[one.kind]), one.hidden, one.inputs
    x = np.zeros((gates, stretches, units, inputs), np.int8)
    h = np.zeros((gates, stretches, units, stretches, units), np.int8)
    for k in range(stretches):
        begin = form.first + k * form.step
        x[:, k, :, begin : begin + width] = one.x.weight.reshape(gates, units, width)
        h[:, k, :, k] = one.h.weight.reshape(gates, units, units)
    rows = gates * stretches * units

    def of_all(values: Array) -> Array:
        return np.repeat(values.reshape(gates, 1, units), stretches, axis=1).reshape(rows)

    def spread(matrix: QuantizedMatrix, weight: Array) -> QuantizedMatrix:
        return replace(
            matrix,
            weight=weight.reshape(rows, -1),
            weight_scale=of_all(matrix.weight_scale),
            bias=of_all(matrix.bias),
        )

    return QuantizedLayer(one.kind, spread(one.x, x), spread(one.h, h), one.cell_exponent)
