"""Static programs for Linux on other processors, compiled with zig."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.extras import require
from rnn_edge.firmware.program import Recipe, build_program
from rnn_edge.types import QuantizedModel

VARIABLES = {"ZIG_LOCAL_CACHE_DIR": "zig-cache"}
"""Relative to the compiler's folder: what it leaves there goes with the folder."""
FLAGS = ("-std=c11", "-D_POSIX_C_SOURCE=200809L", "-O3", "-static", "-s")


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


def build_binary(
    target: LinuxTarget, model: QuantizedModel, sources: Sequence[Path], work: Path
) -> Path:
    """Compile the program of a model for a machine, unless that was done before.

    Args:
        target: The machine.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.

    Raises:
        MissingDependencyError: If zig is not installed.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or zig does not run.
    """
    require("ziglang", "cross", f"C for {target.name}")
    recipe = Recipe(
        target=target.name,
        compiler=(sys.executable, "-m", "ziglang", "cc"),
        version=("-m", "ziglang", "version"),
        flags=(*FLAGS, *target.flags),
        templates=("linux/main.c",),
        variables=VARIABLES,
    )
    return build_program(recipe, model, sources, work)
