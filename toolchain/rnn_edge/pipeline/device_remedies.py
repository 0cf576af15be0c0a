"""What could be done about a model that does not fit a device: fewer units, or a shorter log."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnn_edge.exporters.c_arrays import CMatrix
from rnn_edge.exporters.c_kept import KeptColumns
from rnn_edge.exporters.c_local import LocalForm
from rnn_edge.exporters.c_matrices import forms_of, gates_of, kept_of, locals_of
from rnn_edge.exporters.c_source import SCRATCH_PER_UNIT
from rnn_edge.pipeline.c_memory import Order, kept_bytes, order_on, weight_bytes
from rnn_edge.pipeline.device_needs import Need
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel
from rnn_edge.types.c_choices import DEFAULT, CChoices

_RECORD_BYTES = 6
"""Of a step in the log, beside its frame and its outputs: RNN_EDGE_LOG_RECORD_BYTES."""
_ALIGNMENT = 8
"""Of a variable, at most."""


def remedy_of(device: DeviceSpec, model: QuantizedModel, need: Need, choices: CChoices) -> str:
    """Return what to do about a model that does not fit: the units that would, or a shorter log.

    Args:
        device: The device.
        model: The model.
        need: What it needs there.
        choices: How it is exported.
    """
    flash_over = ram_over = 0
    if need.flash_bytes is not None and device.flash_bytes is not None:
        flash_over = need.flash_bytes - device.flash_bytes
    if device.ram_bytes is not None:
        ram_over = need.ram_bytes - device.ram_bytes
    copies = need.state_copies
    hidden = fitting_hidden(device, model, flash_over, ram_over, copies, choices)
    records = fitting_log(model, need, flash_over, ram_over)
    if hidden is None and records is None:
        # Buffers that grow in larger steps than the state shrink too, by what is not known here.
        most = fitting_hidden(device, model, flash_over, 0, copies, choices)
        if most is None:
            return "no number of units would fit; use a larger device"
        return (
            f"its constants would fit with hidden = {most} in the spec (now "
            f"{model.layers[-1].hidden}), and buffers shrink with it: try that, or a larger device"
        )
    ways = ways_to_fit(hidden, model.layers[-1].hidden, records, need.log_records)
    return f'{ways}; "rnn-edge devices fit" lists larger devices'


def ways_to_fit(hidden: int | None, hidden_now: int, records: int | None, records_now: int) -> str:
    """Return in words what a spec could say for its model to fit.

    Args:
        hidden: Units that would fit; None for none.
        hidden_now: Those that it has.
        records: Steps in the log that would fit; None for none.
        records_now: Those that it has.
    """
    ways = []
    if hidden is not None:
        ways.append(f"with hidden = {hidden} in the spec (now {hidden_now}) it would fit")
    if records is not None:
        ways.append(f"with firmware.log_records = {records} (now {records_now}) it would fit")
    return ", or ".join(ways) or "no number of units would fit"


def fitting_log(model: QuantizedModel, need: Need, flash_over: int, ram_over: int) -> int | None:
    """Return the most steps in the log of an image with which it would fit.

    Args:
        model: The model.
        need: What it needs.
        flash_over: Bytes of flash that are too many; 0 or less where there is room.
        ram_over: Bytes of RAM that are too many, likewise.

    Returns:
        Steps, at least one, or None where a shorter log is not enough.
    """
    if flash_over > 0 or ram_over <= 0:
        return None
    record = _RECORD_BYTES + 2 * (model.inputs + model.outputs)
    records = need.log_records - -(-(ram_over + _ALIGNMENT - 1) // record)
    return records if records > 0 else None


def fitting_hidden(
    device: DeviceSpec,
    model: QuantizedModel,
    flash_over: int,
    ram_over: int,
    state_copies: int = 1,
    choices: CChoices = DEFAULT,
) -> int | None:
    """Return the most units of each layer with which a model would take that much less.

    Code and other buffers are taken to stay as they are, and every matrix to keep its form; both
    err on the side of fewer units.

    Args:
        device: Where it would lie.
        model: The model; every layer has as many units, as every spec gives them, but for a local
            one, which stays as it is.
        flash_over: Bytes of constants that are too many; 0 or less where there is room.
        ram_over: Bytes of variables that are too many, likewise.
        state_copies: Buffers that have the size of the state: `Need.state_copies`.
        choices: How it is exported.

    Returns:
        Units, below those of the model, or None if one unit is still too many.
    """
    units, along = model.layers[-1].hidden, locals_of(model)
    forms, kept, gates = forms_of(model), kept_of(model), gates_of(model)
    order = order_on(device, choices)

    def arrays(hidden: int) -> int:
        """Return the bytes of all matrices' arrays with that many units in each layer."""
        return sum(
            _matrix_bytes(
                form,
                kept[name],
                *_shape(model, along, name, gates[name], hidden),
                gates[name],
                order,
            )
            for name, form in forms.items()
        )

    def variables(hidden: int) -> int:
        """Return the bytes of states and scratch with that many units in each layer."""
        state = products = 0
        scratch = []
        for layer, form in zip(model.layers, along, strict=True):
            state += (hidden if form is None else layer.hidden) * (1 + (layer.kind == "lstm"))
            own = hidden if form is None else form.one.hidden
            scratch.append(own * SCRATCH_PER_UNIT.get(layer.kind, 1))
        if choices.frames_at_once > 1 and along[0] is None:
            products = choices.frames_at_once * gates["layer0.x"] * hidden
        return 2 * (state_copies * state + max(scratch) + products)

    now, held = arrays(units), variables(units)
    for hidden in range(units - 1, 0, -1):
        if now - arrays(hidden) >= flash_over and held - variables(hidden) >= ram_over:
            return hidden
    return None


def _shape(
    model: QuantizedModel, along: Sequence[LocalForm | None], name: str, gates: int, hidden: int
) -> tuple[int, int]:
    """Return rows and columns of a matrix if every layer that is not local had that many units."""
    if name == "head":
        return model.outputs, hidden
    layer, part = name.removeprefix("layer").split(".")
    k = int(layer)
    own = along[k]
    if own is not None:
        return own.one.x.rows, own.one.x.columns if part == "x" else own.one.h.columns
    if part == "h":
        return gates * hidden, hidden
    if k == 0:
        return gates * hidden, model.inputs
    return gates * hidden, hidden if along[k - 1] is None else model.layers[k - 1].hidden


def _matrix_bytes(
    form: CMatrix, kept: KeptColumns | None, rows: int, columns: int, gates: int, order: Order
) -> int:
    """Return the bytes of the arrays of a matrix of another size and the same share of columns."""
    # Beside its weights a row has multiplier and bias, and the shift where sums are int64.
    beside = 4 + 4 if form.is_narrow else 4 + 8 + 1
    weights = weight_bytes(form, rows, columns, gates, order)
    if kept is not None:
        own_rows, own_columns = form.weight.shape
        whole = weight_bytes(form, own_rows, own_columns, gates, order)
        weights = math.ceil(weights * kept_bytes(kept, order) / whole)
    return weights + rows * beside
