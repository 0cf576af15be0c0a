"""What a model needs of a device's flash and RAM, and with how many units it would need less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.c_arrays import c_matrix
from rnn_edge.exporters.c_source import scratch_values
from rnn_edge.firmware.baremetal import TEMPLATE
from rnn_edge.firmware.footprint import Footprint, footprint
from rnn_edge.pipeline.reporting import memory_of
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import GATES, QuantizedModel

ESTIMATED_CODE_BYTES = 9216
"""More than the code of any model takes on any 32-bit device whose compiler was here."""
_LAYER_BYTES, _MODEL_BYTES, _POINTER_BYTES = 80, 84, 4
"""Of ``rnn_edge_layer`` and ``rnn_edge_model`` on 32-bit devices."""
_COUNTER_BYTES = 4
"""Of ``rnn_edge_reset_counter``, which a stream under a reset policy carries."""
LINKED = "linked"
COMPILED = "compiled, before the linker leaves out what is not called"
ESTIMATED = "estimated"


@dataclass(frozen=True)
class Need:
    """Bytes that a model takes on a device.

    Attributes:
        constants_bytes: Weights, biases and what else the generated data holds.
        code_bytes: The model's API, the kernels and what they call.
        program_bytes: What stands around the model in an image of the template ``baremetal``;
            0 where there is none, and what an application adds comes on top.
        state_bytes: Carried from step to step, of one stream.
        scratch_bytes: Used within a step.
        buffers_bytes: A frame and a result; in an image, everything else that is a variable.
        stack_bytes: What the device's file keeps for the stack; 0 under an operating system.
        basis: How code and constants are known: `LINKED`, `COMPILED` or `ESTIMATED`.
        reason: Why they are only estimated, or an empty string.
        has_flash: Whether code and constants lie in a flash, and not in RAM.
    """

    constants_bytes: int
    code_bytes: int
    program_bytes: int
    state_bytes: int
    scratch_bytes: int
    buffers_bytes: int
    stack_bytes: int
    basis: str
    reason: str
    has_flash: bool

    @property
    def flash_bytes(self) -> int | None:
        """Code and constants; None where an operating system loads them into RAM."""
        return self._read_only if self.has_flash else None

    @property
    def ram_bytes(self) -> int:
        """Variables and the stack; code and constants too where there is no flash."""
        variables = self.state_bytes + self.scratch_bytes + self.buffers_bytes + self.stack_bytes
        return variables if self.has_flash else variables + self._read_only

    @property
    def _read_only(self) -> int:
        return self.constants_bytes + self.code_bytes + self.program_bytes


def need_of(
    device: DeviceSpec, model: QuantizedModel, sources: Sequence[Path], *, is_resetting: bool
) -> Need:
    """Return what a model needs of a device, as compiled for it where its compiler is here.

    Args:
        device: The device.
        model: The model that was exported.
        sources: The exported C, headers too.
        is_resetting: Whether streams are under a reset policy.

    Raises:
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the compiler does not run.
    """
    found, reason = _measured(device, model, sources)
    memory = memory_of(model)
    buffers = memory["frame"] + memory["result"] + (_COUNTER_BYTES if is_resetting else 0)
    is_image = device.template == TEMPLATE and found is not None and found.is_linked
    if is_image and found is not None:
        buffers = found.variables_bytes - memory["state"] - memory["scratch"]
    return Need(
        constants_bytes=_constants(model) if found is None else found.constants_bytes,
        code_bytes=ESTIMATED_CODE_BYTES if found is None else found.code_bytes,
        program_bytes=found.program_bytes if is_image and found is not None else 0,
        state_bytes=memory["state"],
        scratch_bytes=memory["scratch"],
        buffers_bytes=buffers,
        stack_bytes=0 if device.memory is None else device.memory.stack_bytes,
        basis=ESTIMATED if found is None else LINKED if found.is_linked else COMPILED,
        reason=reason,
        has_flash=device.memory is not None,
    )


def _measured(
    device: DeviceSpec, model: QuantizedModel, sources: Sequence[Path]
) -> tuple[Footprint | None, str]:
    """Return what the device's compiler makes of a model, or why that is not known."""
    if device.build is None:
        return None, "no compiler for it is called here"
    try:
        return footprint(device, model, sources), ""
    except MissingDependencyError as error:
        return None, error.message


def _constants(model: QuantizedModel) -> int:
    """Return the bytes of the generated data where it is not compiled."""
    names = sum(len(label.encode()) + 1 + _POINTER_BYTES for label in model.labels)
    structures = _MODEL_BYTES + len(model.layers) * _LAYER_BYTES
    return memory_of(model)["constants"] + structures + names + len(model.name) + 1


def fitting_hidden(model: QuantizedModel, flash_over: int, ram_over: int) -> int | None:
    """Return the most units of each layer with which a model would take that much less.

    Code and buffers are taken to stay as they are, and every matrix to keep its form; both err on
    the side of fewer units.

    Args:
        model: The model; every layer has as many units, as every spec gives them.
        flash_over: Bytes of constants that are too many; 0 or less where there is room.
        ram_over: Bytes of variables that are too many, likewise.

    Returns:
        Units, below those of the model, or None if one unit is still too many.
    """
    units = model.layers[0].hidden
    forms = {name: c_matrix(matrix, name) for name, matrix in model.matrices.items()}
    # Of a row, beside its weights: multiplier and bias, and the shift where sums are int64.
    row = {name: 4 + 4 if form.is_narrow else 4 + 8 + 1 for name, form in forms.items()}
    constants, variables = _arrays(model, row, units), _variables(model, units)
    for hidden in range(units - 1, 0, -1):
        if (
            constants - _arrays(model, row, hidden) >= flash_over
            and variables - _variables(model, hidden) >= ram_over
        ):
            return hidden
    return None


def _arrays(model: QuantizedModel, row: Mapping[str, int], hidden: int) -> int:
    """Return the bytes of all matrices' arrays with that many units in each layer."""
    total, width = 0, model.inputs
    for k, layer in enumerate(model.layers):
        gates = len(GATES[layer.kind])
        total += gates * hidden * (width + row[f"layer{k}.x"] + hidden + row[f"layer{k}.h"])
        width = hidden
    return total + model.outputs * (hidden + row["head"])


def _variables(model: QuantizedModel, hidden: int) -> int:
    """Return the bytes of state and scratch with that many units in each layer."""
    return 2 * (len(model.state_sizes) * hidden) + 2 * (
        scratch_values(model) // max(layer.hidden for layer in model.layers) * hidden
    )
