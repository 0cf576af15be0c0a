"""What compiles images: the GNU compiler of a device's file where it is installed, or else zig.

zig is clang, a linker and the library of compiler helpers for every processor in one package of
PyPI. It compiles the same sources with the same linker script; its options are those of the
device's file, translated.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rnn_edge.errors import EngineError, MissingDependencyError, SpecError
from rnn_edge.extras import require
from rnn_edge.firmware.call_graph import FLAG as GRAPH_FLAG
from rnn_edge.programs import PACKAGES, call

VARIABLE = "RNN_EDGE_TOOLCHAIN"
"""Of the environment: `GCC` or `ZIG` where one of them has to compile, whatever is installed."""
GCC, ZIG = "gcc", "zig"
ZIG_COMMAND = (sys.executable, "-m", "ziglang", "cc")
ZIG_VARIABLES = {"ZIG_LOCAL_CACHE_DIR": "zig-cache"}
"""Relative to the compiler's folder: what it leaves there goes with the folder."""
ZIG_EXTRA = "pip install 'rnn-edge[cross]'"
ALWAYS = (
    # With the table of symbols; what debuggers read beside it, the linker script leaves out.
    "-g",
    "-fomit-frame-pointer",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-fno-sanitize=all",
    "-fno-stack-protector",
    "-Wl,-z,max-page-size=4096",
)
"""Options that make zig do what the GNU compilers do unasked."""

_SAME = re.compile(
    r"-O[0-3s]|-std=\w+|-ffreestanding|-f(?:function|data)-sections|-static|-I.*|-D.*"
    r"|-mcmodel=\w+|-Wl,--gc-sections|-Wl,--build-id=none|-Wl,--(?:defsym|entry)[=,].+"
)
"""Options that mean the same to both."""
_ARM = re.compile(r"-mcpu=(cortex-m\d+(?:plus)?)")
_RISCV = re.compile(r"-march=rv(32|64)([iemafdc]+)((?:_[a-z][a-z0-9]*)*)")
_LIBRARIES = ("-lgcc",)
_UNNEEDED = ("-mthumb", "-nostdlib", "-fno-tree-loop-distribute-patterns", *_LIBRARIES)
"""Options that its target implies, or that there is nothing to be said against: without a C library
there is only its library of helpers, and -ffreestanding leaves loops alone."""
_FLOATS = {"soft": "eabi", "hard": "eabihf"}
_ENTRY = "rnn_edge_reset"


@dataclass(frozen=True)
class Toolchain:
    """What compiles and links.

    Attributes:
        name: `GCC` or `ZIG`.
        title: What users know it by: the program, or the package.
        compiler: The command.
        version: What follows the command's first word in the command that says which it is.
        variables: Set in its environment.
    """

    name: str
    title: str
    compiler: tuple[str, ...]
    version: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)

    def flags(self, flags: Sequence[str]) -> tuple[str, ...]:
        """Return options of the GNU compiler as this one takes them.

        Raises:
            EngineError: If one of them has no meaning to it.
        """
        return tuple(flags) if self.name == GCC else zig_flags(flags)

    @property
    def graphs(self) -> tuple[str, ...]:
        """Options that draw the call graph; zig has none."""
        return (GRAPH_FLAG,) if self.name == GCC else ()

    @property
    def libraries(self) -> tuple[str, ...]:
        """Options behind the sources that bring the helpers of 32-bit processors."""
        return _LIBRARIES if self.name == GCC else ()


def described(compiler: Sequence[str], version: Sequence[str]) -> str:
    """Return name and version of a compiler in a line.

    Args:
        compiler: The command.
        version: What follows its first word in the command that says which it is.

    Raises:
        EnvironmentFailureError: If it does not run.
    """
    printed = call([*compiler[:1], *version], Path.cwd()).stdout.strip().partition("\n")[0]
    return f"zig {printed}" if tuple(compiler) == ZIG_COMMAND else printed


def toolchain_for(compiler: str, purpose: str) -> Toolchain:
    """Return what compiles where a device's file asks for a GNU compiler.

    Args:
        compiler: The program's name: "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc".
        purpose: What it is needed for, as the end of a sentence.

    Raises:
        SpecError: If the environment names another one than `GCC` and `ZIG`.
        MissingDependencyError: If neither is installed, or not the one that the environment names.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", GCC, ZIG):
        raise SpecError(f"{VARIABLE}={wanted}; expected {GCC} or {ZIG}.", f"unset {VARIABLE}")
    path = shutil.which(compiler)
    if path is not None and wanted != ZIG:
        return Toolchain(GCC, compiler, (path,), ("--version",))
    package = f"apt-get install {PACKAGES[compiler]} (Debian, Ubuntu)"
    if wanted == GCC:
        raise MissingDependencyError(
            f"Program {compiler} is not installed; it is needed for {purpose}, where "
            f"{VARIABLE}={GCC}.",
            package,
        )
    if wanted == ZIG:
        require("ziglang", "cross", f"{purpose}, where {VARIABLE}={ZIG}")
    elif importlib.util.find_spec("ziglang") is None:
        raise MissingDependencyError(
            f"Neither the program {compiler} nor the package ziglang is installed; one of them is "
            f"needed for {purpose}.",
            f"{ZIG_EXTRA}, or {package}",
        )
    return zig()


def zig() -> Toolchain:
    """Return zig, which has to be installed."""
    return Toolchain(ZIG, "zig", ZIG_COMMAND, ("-m", "ziglang", "version"), ZIG_VARIABLES)


def zig_flags(flags: Sequence[str]) -> tuple[str, ...]:
    """Return options of a GNU compiler for a bare processor as zig takes them.

    Args:
        flags: What follows "arm-none-eabi-gcc" or "riscv64-unknown-elf-gcc".

    Raises:
        EngineError: If an option has no translation, or none of them says for which processor.
    """
    target: tuple[str, ...] = ()
    floats = "eabi"
    kept: list[str] = []
    for flag in flags:
        if arm := _ARM.fullmatch(flag):
            target = ("thumb", f"-mcpu={arm[1].replace('-', '_')}")
        elif riscv := _RISCV.fullmatch(flag):
            features = [*riscv[2], *filter(None, riscv[3].split("_"))]
            # The letter i, or e, is the base that the rest is added to.
            target = (f"riscv{riscv[1]}", f"-mcpu=generic_rv{riscv[1]}+{'+'.join(features)}")
        elif flag.startswith("-mfloat-abi=") and flag[12:] in _FLOATS:
            floats = _FLOATS[flag[12:]]
        elif flag.startswith("-mabi="):
            kept.append(flag)
        elif flag.startswith("-Wl,-T,"):
            kept += ["-T", flag[7:]]
        elif flag.startswith("-Wl,-L"):
            kept.append(flag[4:])
        elif _SAME.fullmatch(flag):
            kept.append(flag)
        elif flag not in _UNNEEDED:
            raise EngineError(
                f"Compiler option {flag} has no translation for zig.",
                f"{VARIABLE}={GCC}, with the compiler of the device's file installed",
            )
    if not target:
        raise EngineError(
            f"Compiler options {' '.join(flags)} name no processor; expected -mcpu=cortex-m... or "
            "-march=rv..."
        )
    system = "freestanding-none" if target[0].startswith("riscv") else f"freestanding-{floats}"
    return ("-target", f"{target[0]}-{system}", target[1], *ALWAYS, f"-Wl,--entry={_ENTRY}", *kept)


def without_linking(flags: Sequence[str]) -> tuple[str, ...]:
    """Return options without those of the linker; zig follows a linker script even with -c."""
    after_script = {k + 1 for k, flag in enumerate(flags) if flag == "-T"}
    return tuple(
        flag
        for k, flag in enumerate(flags)
        if k not in after_script and flag != "-T" and not flag.startswith(("-L", "-Wl,"))
    )
