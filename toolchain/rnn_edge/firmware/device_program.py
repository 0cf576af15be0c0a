"""The program of a model for a device, by the device's template: an image, or a Linux program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import DeviceError
from rnn_edge.firmware import baremetal, linux
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.link import LANGUAGE, SIZES, TEMPLATES
from rnn_edge.firmware.program import LINK, BuildPlan, Recipe, build_program, plan_of, serving
from rnn_edge.firmware.stack_prediction import image_with_bound, require_stack
from rnn_edge.firmware.toolchain import described
from rnn_edge.programs import program
from rnn_edge.spec import DeviceSpec
from rnn_edge.types import QuantizedModel

LINUX = "linux"


@dataclass(frozen=True)
class DeviceProgram:
    """A program for a device.

    Attributes:
        path: The linked file.
        flash_bytes: Code, constants and initial values; None under an operating system.
        ram_bytes: Variables and the place of the stack; None under an operating system.
        stack_bytes: The most of the stack that can ever be used; None where that is not known.
        toolchain: The compiler and its version.
    """

    path: Path
    flash_bytes: int | None
    ram_bytes: int | None
    stack_bytes: int | None
    toolchain: str


def device_plan(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    app: AppConfig | None = None,
) -> BuildPlan:
    """Return what `device_program` would do; nothing is written.

    Args:
        device: The device.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where programs are kept.
        app: What the application does; None for one that decides nothing.

    Raises:
        DeviceError: If no program is built for the device.
        MissingDependencyError: If its compiler is not installed.
    """
    recipe = _recipe(device)
    return plan_of(serving(recipe, model, LINK, app), model.name, sources, work)


def device_program(
    device: DeviceSpec,
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    app: AppConfig | None = None,
) -> DeviceProgram:
    """Compile the program of a model for a device, unless that was done before.

    Args:
        device: The device.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.
        app: What the application does; None for one that decides nothing.

    Raises:
        DeviceError: If no program is built for the device, or it keeps too little for the stack.
        MissingDependencyError: If its compiler is not installed.
        ModelError: If the device's memory is too small, with the numbers.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    recipe = _recipe(device)
    toolchain = described(recipe.compiler, recipe.version)
    if device.template == baremetal.TEMPLATE:
        image, bound = image_with_bound(device, model, sources, work, LINK, app)
        require_stack(device, bound)
        stack_bytes = None if isinstance(bound, str) else bound.total_bytes
        return DeviceProgram(image.path, image.flash_bytes, image.ram_bytes, stack_bytes, toolchain)
    path = build_program(recipe, model, sources, work, service=LINK, app=app)
    return DeviceProgram(path, None, None, None, toolchain)


def _recipe(device: DeviceSpec) -> Recipe:
    if device.template == baremetal.TEMPLATE:
        return baremetal.recipe(device)
    if device.template != LINUX or device.build is None:
        raise DeviceError(
            f"Device {device.name}: no firmware is built for it here; its template is "
            f"{device.template or 'none'}, expected {baremetal.TEMPLATE} or {LINUX}.",
            "rnn-edge package makes a library for the tools of its ecosystem",
        )
    if device.build.compiler == "zig":
        flags = (*LANGUAGE, *SIZES, "-static", "-s", *device.build.flags)
        return linux.zig_recipe(device.name, flags, TEMPLATES)
    return Recipe(
        target=device.name,
        compiler=(program("cc", f"programs for {device.name}"),),
        version=("--version",),
        flags=(*LANGUAGE, *SIZES, *device.build.flags),
        templates=TEMPLATES,
    )
