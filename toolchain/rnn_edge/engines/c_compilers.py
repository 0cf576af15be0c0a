"""The exported C on this host, by gcc and clang at every level, and under the sanitizers.

The bits of C that is free of undefined behaviour do not depend on the compiler. These engines show
it: each is a program of its own, spoken to over its standard input and output.
"""

from __future__ import annotations

import os
import re
from functools import partial

from rnn_edge.engines.base import Engine, EngineKind, EngineSource
from rnn_edge.engines.c_host import host_compiler
from rnn_edge.engines.link_engine import exported_sources
from rnn_edge.engines.program_engine import ProgramStream, open_program
from rnn_edge.firmware.host import LEVELS, SANITIZED, Build, build_host_program
from rnn_edge.programs import program

COMPILERS = ("gcc", "clang")
HOST_SANITIZED = f"c-{SANITIZED}"
"""The engine that takes the compiler of the engine ``c``."""
_FINDING = re.compile(r"SUMMARY: (\S+Sanitizer: .*)|(\S+: runtime error: .*)")
_FOLDER = re.compile(r"/\S*/(?=\w+\.[ch]:\d)")
_REPORT_BYTES = 1 << 16


class SanitizedStream(ProgramStream):
    """A program that ends at the first finding of a sanitizer, which its error then names."""

    def _how_it_ended(self) -> str:
        how = super()._how_it_ended()
        self._words.seek(0, os.SEEK_SET)
        found = _FINDING.search(self._words.read(_REPORT_BYTES).decode(errors="replace"))
        if found is None:
            return how
        # Last in the report stands a map of the memory around the finding: no words for a message.
        self._words.truncate(0)
        # The folder that the compiler worked in is gone.
        return f"{how}: {_FOLDER.sub('', found[1] or found[2]).strip()}"


def open_engine(name: str, compiler: str, variant: str, source: EngineSource) -> Engine:
    """Compile the exported model, unless that was done before, and start it.

    Args:
        name: Of the engine.
        compiler: The program, or an empty string for the compiler of the engine ``c``.
        variant: One of ``LEVELS``, or ``SANITIZED``.
        source: Where the export is.

    Raises:
        MissingDependencyError: If the compiler is not installed, or its sanitizers are not.
        EngineError: If the export is missing, of another model or does not compile, or if the
            program fails.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    command = [program(compiler, f"the engine {name!r}")] if compiler else host_compiler()
    build = Build(name, tuple(command), variant)
    binary = build_host_program(build, source.model, exported_sources(source), source.work)
    kind = SanitizedStream if variant == SANITIZED else ProgramStream
    owner = f"engine {name!r}"
    return open_program(source.model, kind([str(binary)], owner), owner)


def _kind(name: str, compiler: str, variant: str) -> EngineKind:
    how = "under ASan and UBSan" if variant == SANITIZED else f"at -{variant}"
    return EngineKind(
        name=name,
        summary=f"the exported C, compiled by {compiler or 'the compiler of c'} {how}",
        is_integer=True,
        extra="",
        exporter="c",
        open=partial(open_engine, name, compiler, variant),
    )


def engine_kinds() -> tuple[EngineKind, ...]:
    """Return an engine for every compiler and variant."""
    return (
        *(_kind(f"c-{c}-{variant}", c, variant) for c in COMPILERS for variant in LEVELS),
        *(_kind(f"c-{c}-{SANITIZED}", c, SANITIZED) for c in COMPILERS),
        _kind(HOST_SANITIZED, "", SANITIZED),
    )
