"""Compilers and emulators: found, called, and named with how to get them where they are missing."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError, MissingDependencyError

PACKAGES: Mapping[str, str] = {
    "cc": "gcc libc6-dev",
    "gcc": "gcc libc6-dev",
    "clang": "clang libc6-dev",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-size": "binutils-arm-none-eabi",
    "riscv64-unknown-elf-gcc": "gcc-riscv64-unknown-elf",
    "riscv64-unknown-elf-size": "binutils-riscv64-unknown-elf",
    "qemu-system-arm": "qemu-system-arm",
    "qemu-system-riscv32": "qemu-system-misc",
    "qemu-aarch64": "qemu-user",
    "qemu-arm": "qemu-user",
    "ssh": "openssh-client",
}
"""Program to the package of Debian and Ubuntu that brings it."""

COMPILE_TIMEOUT_S = 600


def program(name: str, purpose: str) -> str:
    """Return the path of a program.

    Args:
        name: One of `PACKAGES`.
        purpose: What it is needed for, as the end of a sentence.

    Raises:
        MissingDependencyError: If it is not installed.
    """
    path = shutil.which(name)
    if path is None:
        raise MissingDependencyError(
            f"Program {name} is not installed; it is needed for {purpose}.",
            f"apt-get install {PACKAGES[name]} (Debian, Ubuntu)",
        )
    return path


def call(
    command: list[str], folder: Path, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a compiler or what belongs to it, and return how it ended.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        variables: Set in its environment, beside those of this process.

    Raises:
        EnvironmentFailureError: If it cannot be started or does not end.
    """
    try:
        return subprocess.run(
            command,
            cwd=folder,
            # What they say is read, so they say it in English.
            env={**os.environ, "LC_ALL": "C", **(variables or {})},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMPILE_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailureError(
            f"Program {command[0]} did not end within {COMPILE_TIMEOUT_S} s: {shlex.join(command)}."
        ) from error
    except OSError as error:
        raise EnvironmentFailureError(f"Program {command[0]} cannot run: {error}.") from error
