"""What a model needs of a device's flash and RAM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import MissingDependencyError
from rnn_edge.exporters.c_matrices import locals_of
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.footprint import Footprint, footprint
from rnn_edge.pipeline.c_memory import memory_of, order_on
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel
from rnn_edge.types.c_choices import DEFAULT, CChoices

ESTIMATED_CODE_BYTES = 9216
"""More than the code of any model takes on any 32-bit device whose compiler was here."""
_STRUCTURES = {4: (100, 112, 92), 8: (176, 192, 152)}
"""Bytes of ``rnn_edge_layer``, ``rnn_edge_local`` and ``rnn_edge_model`` by those of a pointer."""
_POLICY_BYTES = 20
"""Of ``rnn_edge_reset_policy``."""
_OF_64_BITS = ("armv8-a", "host")
_COUNTER_BYTES = 4
"""Of ``rnn_edge_reset_counter``, which a stream under a reset policy carries."""
LINKED = "linked"
COMPILED = "compiled, before the linker leaves out what is not called"
ESTIMATED = "estimated"
RETAINED = "retained_ram"
"""The part of a board that keeps a state in RAM."""
NO_IMAGE = "no image is built for it here"


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
        stack_bound: The most of the stack that an image can use, or why that is not known.
        variables: Bytes of an image's variables by the C file that they are in; empty where there
            is none.
        basis: How code and constants are known: `LINKED`, `COMPILED` or `ESTIMATED`.
        reason: Why they are only estimated, or an empty string.
        has_flash: Whether code and constants lie in a flash, and not in RAM.
        log_records: Steps that the log of an image remembers; 0 where there is none.
    """

    constants_bytes: int
    code_bytes: int
    program_bytes: int
    state_bytes: int
    scratch_bytes: int
    buffers_bytes: int
    stack_bytes: int
    stack_bound: int | str
    variables: Mapping[str, int]
    basis: str
    reason: str
    has_flash: bool
    log_records: int

    @property
    def stack_over(self) -> int:
        """Bytes that the stack may take beyond its place, or 0."""
        bound = 0 if isinstance(self.stack_bound, str) else self.stack_bound
        return max(0, bound - self.stack_bytes)

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
    def state_copies(self) -> int:
        """Buffers that have the size of the state; those that grow in larger steps are not counted.

        An image has the state, the link's copy of it, and where it outlives a restart in RAM the
        two that are written in turn.
        """
        if not self.variables:
            return 1
        return 4 if RETAINED in self.variables else 2

    def lacks(self, device: DeviceSpec) -> list[str]:
        """Return in words what a device has too little of; nothing where the model fits.

        Args:
            device: The device that the need is of.
        """
        return [
            f"{wanted:,} bytes of {what}; {device.name} has {there:,}"
            for what, wanted, there in (
                ("flash", self.flash_bytes, device.flash_bytes),
                ("RAM", self.ram_bytes, device.ram_bytes),
            )
            if wanted is not None and there is not None and wanted > there
        ]

    @property
    def _read_only(self) -> int:
        return self.constants_bytes + self.code_bytes + self.program_bytes


def need_of(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    *,
    is_resetting: bool,
    app: AppConfig | None = None,
    choices: CChoices = DEFAULT,
) -> Need:
    """Return what a model needs of a device, as compiled for it where its compiler is here.

    Args:
        device: The device.
        model: The model that was exported.
        sources: The exported C, headers too.
        is_resetting: Whether streams are under a reset policy.
        app: What the application does; None for one that decides nothing.
        choices: How the model was exported.

    Raises:
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the compiler does not run.
    """
    found, reason = _measured(device, model, sources, app)
    memory = memory_of(model, choices)
    buffers = memory["frame"] + memory["result"] + (_COUNTER_BYTES if is_resetting else 0)
    is_image = device.board is not None and found is not None and found.is_linked
    if is_image and found is not None:
        buffers = found.variables_bytes - memory["state"] - memory["scratch"]
    return Need(
        constants_bytes=constants_on(device, model, choices, is_resetting=is_resetting)
        if found is None
        else found.constants_bytes,
        code_bytes=ESTIMATED_CODE_BYTES if found is None else found.code_bytes,
        program_bytes=found.program_bytes if is_image and found is not None else 0,
        state_bytes=memory["state"],
        scratch_bytes=memory["scratch"],
        buffers_bytes=buffers,
        stack_bytes=0 if device.memory is None else device.memory.stack_bytes,
        stack_bound=found.stack_bytes if is_image and found is not None else NO_IMAGE,
        variables=found.variables if is_image and found is not None else {},
        basis=ESTIMATED if found is None else LINKED if found.is_linked else COMPILED,
        reason=reason,
        has_flash=device.memory is not None,
        log_records=(app or AppConfig()).log_records if is_image else 0,
    )


def _measured(
    device: DeviceSpec, model: QuantizedModel, sources: Sequence[Path], app: AppConfig | None
) -> tuple[Footprint | None, str]:
    """Return what the device's compiler makes of a model, or why that is not known."""
    if device.build is None:
        return None, "no compiler for it is called here"
    try:
        return footprint(device, model, sources, app), ""
    except MissingDependencyError as error:
        return None, error.message


def constants_on(
    device: DeviceSpec, model: QuantizedModel, choices: CChoices, *, is_resetting: bool
) -> int:
    """Return the bytes of the generated data where it is not compiled.

    Args:
        device: Where it would be.
        model: The model.
        choices: How it is exported.
        is_resetting: Whether streams are under a reset policy.
    """
    pointer = 8 if device.isa in _OF_64_BITS else 4
    layer_bytes, local_bytes, model_bytes = _STRUCTURES[pointer]
    locals_bytes = local_bytes * sum(form is not None for form in locals_of(model))
    texts = sum(len(text.encode()) + 1 for text in (model.name, *model.labels))
    structures = model_bytes + len(model.layers) * layer_bytes + locals_bytes
    structures += len(model.labels) * pointer
    policy = _POLICY_BYTES if is_resetting else 0
    arrays = memory_of(model, choices, order_on(device, choices))["constants"]
    return arrays + structures + texts + policy
