"""Static programs and shared libraries for Linux on other processors, compiled with zig."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnn_edge.extras import require
from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.link import LANGUAGE, SIZES, TEMPLATES
from rnn_edge.firmware.program import LINK, Recipe, build, build_program
from rnn_edge.firmware.toolchain import zig
from rnn_edge.types import QuantizedModel

FLAGS = (*LANGUAGE, *SIZES, "-O3", "-static", "-s")
LIBRARY_FLAGS = (
    "-std=c11",
    "-O3",
    "-fPIC",
    "-shared",
    "-s",
    # The memory functions are in it: it depends on no C library, and runs beside any.
    "-ffreestanding",
    "-Ifreestanding",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-sanitize=all",
    "-Wl,-z,defs",
    "-Wl,--version-script=exports.map",
)
LIBRARY_TEMPLATES = ("baremetal/memory.c", "baremetal/freestanding/string.h")


@dataclass(frozen=True)
class LinuxTarget:
    """One kind of machine.

    Attributes:
        name: What users type.
        title: What it is, in a line.
        flags: Target and processor, as zig takes them.
        emulator: The program that runs its binaries here.
        processor: The processor that the emulator imitates.
    """

    name: str
    title: str
    flags: tuple[str, ...]
    emulator: str
    processor: str


TARGETS = (
    LinuxTarget(
        "aarch64",
        "64-bit Arm, as in a Raspberry Pi 3 or later",
        ("-target", "aarch64-linux-musl", "-mcpu=cortex_a53"),
        "qemu-aarch64",
        "cortex-a53",
    ),
    LinuxTarget(
        "armv7",
        "32-bit Arm with NEON, as in a Raspberry Pi 2",
        ("-target", "arm-linux-musleabihf", "-mcpu=cortex_a7"),
        "qemu-arm",
        "cortex-a7",
    ),
    LinuxTarget(
        "armv6",
        "32-bit Arm with VFP, as in a Raspberry Pi Zero",
        ("-target", "arm-linux-musleabihf", "-mcpu=arm1176jzf_s"),
        "qemu-arm",
        "arm1176",
    ),
)

X86_64 = LinuxTarget(
    "x86_64",
    "64-bit x86",
    ("-target", "x86_64-linux-musl", "-mcpu=x86_64"),
    "qemu-x86_64",
    "qemu64",
)
LIBRARY_TARGETS = (*TARGETS, X86_64)
"""Machines that libraries are made for; on the last, engines take this host's own compiler."""


def build_binary(
    target: LinuxTarget,
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    app: AppConfig | None = None,
) -> Path:
    """Compile the program of a model for a machine, unless that was done before.

    Args:
        target: The machine.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.
        app: What the application does; None for one that decides nothing.

    Raises:
        MissingDependencyError: If zig is not installed.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or zig does not run.
    """
    recipe = zig_recipe(target.name, (*FLAGS, *target.flags), TEMPLATES)
    return build_program(recipe, model, sources, work, service=LINK, app=app)


def library_name(model: QuantizedModel) -> str:
    """Return what the shared library of a model is called, and what programs look for."""
    return f"lib{model.name}.so"


def build_shared_library(
    target: LinuxTarget, model: QuantizedModel, sources: Sequence[Path], work: Path
) -> Path:
    """Compile the shared library of a model for a machine, unless that was done before.

    It exports the functions of the model's own header and nothing else.

    Args:
        target: The machine.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the library is kept.

    Raises:
        MissingDependencyError: If zig is not installed.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the library cannot be written, or zig does not run.
    """
    flags = (*LIBRARY_FLAGS, f"-Wl,-soname,{library_name(model)}", *target.flags)
    exported = f"{{\n    global: {model.name}_*;\n    local: *;\n}};\n"
    recipe = replace(
        zig_recipe(target.name, flags, LIBRARY_TEMPLATES),
        generated={"exports.map": exported},
        suffix=".so",
    )
    return build(recipe, model.name, sources, work)


def zig_recipe(target: str, flags: tuple[str, ...], templates: tuple[str, ...]) -> Recipe:
    """Return how zig compiles something.

    Args:
        target: What it is for, as of `Recipe`.
        flags: Options.
        templates: Files of ``firmware_templates/``.

    Raises:
        MissingDependencyError: If zig is not installed.
    """
    require("ziglang", "cross", f"C for {target}")
    toolchain = zig()
    return Recipe(
        target=target,
        compiler=toolchain.compiler,
        version=toolchain.version,
        flags=flags,
        templates=templates,
        variables=toolchain.variables,
    )
