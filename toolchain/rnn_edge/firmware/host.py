"""Programs for this host, by any compiler at any level, with or without sanitizers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware.link import LANGUAGE, SIZES, TEMPLATES
from rnn_edge.firmware.program import LINK, Recipe, build_program
from rnn_edge.types import QuantizedModel

LEVELS = ("O0", "O1", "O2", "O3", "Os")
SANITIZED = "sanitized"
FLAGS = (*LANGUAGE, *SIZES)
SANITIZER_FLAGS = (
    "-O1",
    "-g",
    "-fno-omit-frame-pointer",
    "-fsanitize=address,undefined",
    # The first finding ends the program: bits that come after it prove nothing.
    "-fno-sanitize-recover=all",
)
_NO_RUNTIME = re.compile(r"cannot find \S*(?:asan|ubsan)|no such file.*(?:asan|ubsan)", re.I)


@dataclass(frozen=True)
class Build:
    """One way to compile for this host.

    Attributes:
        name: What users type.
        compiler: The command that compiles and links.
        variant: One of `LEVELS`, or `SANITIZED`.
    """

    name: str
    compiler: tuple[str, ...]
    variant: str

    @property
    def flags(self) -> tuple[str, ...]:
        """Options of the compiler."""
        own = SANITIZER_FLAGS if self.variant == SANITIZED else (f"-{self.variant}",)
        return (*FLAGS, *own)


def build_host_program(
    build: Build, model: QuantizedModel, sources: Sequence[Path], work: Path
) -> Path:
    """Compile the program of a model for this host, unless that was done before.

    Args:
        build: How.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.

    Raises:
        MissingDependencyError: If the compiler comes without the libraries of its sanitizers.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    recipe = Recipe(
        target=build.name,
        compiler=build.compiler,
        # With what $CC says besides: of "ccache gcc" it is gcc's version that counts.
        version=(*build.compiler[1:], "--version"),
        flags=build.flags,
        templates=TEMPLATES,
    )
    return build_program(
        recipe, model, sources, work, lambda output: without_sanitizers(build, output), LINK
    )


def without_sanitizers(build: Build, output: str) -> MissingDependencyError | None:
    """Return what to say where a linker did not find the sanitizers' libraries, or else None."""
    if build.variant != SANITIZED or not _NO_RUNTIME.search(output):
        return None
    return MissingDependencyError(
        f"Compiler {build.compiler[0]} comes without the libraries of its sanitizers; the engine "
        f"{build.name!r} needs them.",
        "apt-get install libasan8 libubsan1 for gcc, libclang-rt-dev for clang (Debian, Ubuntu; "
        "the names vary with the release)",
    )
