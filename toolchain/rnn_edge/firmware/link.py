"""Programs for this host that serve a model over the framed link (docs/link.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnn_edge.firmware.program import LINK, Recipe, build_program
from rnn_edge.types import QuantizedModel

FLAGS = ("-std=c11", "-D_XOPEN_SOURCE=700", "-O3")
MOST_PAYLOAD = 16_384
"""In bytes: a host has the memory, and large frames cost a request less often."""


def build_link_program(
    compiler: Sequence[str],
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    flags: Sequence[str] = (f"-DRNN_EDGE_LINK_PAYLOAD={MOST_PAYLOAD}",),
) -> Path:
    """Compile the program, unless that was done before.

    It serves its standard input and output, or with the argument ``--pty`` a pseudo-terminal whose
    path it prints.

    Args:
        compiler: The command that compiles and links.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.
        flags: Options beside `FLAGS`: sizes of ``rnn_edge_link_server.h``.

    Raises:
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    recipe = Recipe(
        target="link",
        compiler=tuple(compiler),
        version=(*compiler[1:], "--version"),
        flags=(*FLAGS, *flags),
        templates=("linux/link.c",),
    )
    return build_program(recipe, model, sources, work, service=LINK)
