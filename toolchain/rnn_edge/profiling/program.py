"""The static program that measures the exported C on the machine it runs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rnn_edge.engines.c_host import host_compiler
from rnn_edge.errors import DeviceError
from rnn_edge.firmware.linux import TARGETS, X86_64, LinuxTarget, zig_recipe
from rnn_edge.firmware.program import CONFIG, Recipe, build, config_header
from rnn_edge.types import QuantizedModel

TEMPLATES = ("linux/rnn_edge_profile.c",)
FLAGS = ("-std=c11", "-D_XOPEN_SOURCE=700", "-O3", "-static", "-s")
_LINUX = {target.name: target for target in TARGETS}
MACHINES = {
    "aarch64": _LINUX["aarch64"],
    "arm64": _LINUX["aarch64"],
    "armv8l": _LINUX["armv7"],
    "armv7l": _LINUX["armv7"],
    "armv6l": _LINUX["armv6"],
    "x86_64": X86_64,
}
"""What ``uname -m`` says to what is compiled for."""
PROCESSORS = {
    "aarch64": ("cortex-a53", "cortex-a72", "cortex-a76"),
    "armv7": ("cortex-a7",),
    "armv6": ("arm1176",),
}
"""Whose instructions are counted, as QEMU calls them, by the name of the target: those of Raspberry
Pis."""


def target_of(machine: str, what: str) -> LinuxTarget:
    """Return what is compiled for a machine.

    Args:
        machine: What its ``uname -m`` says.
        what: What it is, the start of the message.

    Raises:
        DeviceError: If nothing is compiled for it.
    """
    target = MACHINES.get(machine)
    if target is None:
        raise DeviceError(
            f"{what} is of the architecture {machine!r}; expected one of {', '.join(MACHINES)}.",
            "for another one, compile exports/c there (docs/c_api.md)",
        )
    return target


def build_for_host(model: QuantizedModel, sources: Sequence[Path], work: Path) -> Path:
    """Compile the program for this machine, unless that was done before.

    Raises:
        MissingDependencyError: If there is no compiler.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    compiler = tuple(host_compiler("c"))
    recipe = Recipe("profile", compiler, (*compiler[1:], "--version"), FLAGS, TEMPLATES)
    return build(_with_config(recipe, model), model.name, sources, work)


def build_for_target(
    target: LinuxTarget,
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    processor: str = "",
) -> Path:
    """Compile the program for another machine with zig, unless that was done before.

    Args:
        target: The machine.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.
        processor: Which of `PROCESSORS` it is scheduled for; empty for the oldest, whose programs
            run on all of them.

    Raises:
        MissingDependencyError: If zig is not installed.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or zig does not run.
    """
    flags = target.flags
    if processor not in ("", target.processor):
        kept = [flag for flag in flags if not flag.startswith("-mcpu=")]
        flags = (*kept, f"-mcpu={processor.replace('-', '_')}")
    recipe = zig_recipe(f"profile-{target.name}", (*FLAGS, *flags), TEMPLATES)
    return build(_with_config(recipe, model), model.name, sources, work)


def _with_config(recipe: Recipe, model: QuantizedModel) -> Recipe:
    return replace(recipe, generated={CONFIG: config_header(model)})
