"""Programs for this host that serve a model over the framed link (docs/link.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnn_edge.firmware.app_config import AppConfig
from rnn_edge.firmware.program import LINK, Recipe, build_program
from rnn_edge.types import QuantizedModel

TEMPLATES = ("linux/link.c", "linux/board.c", "linux/flash_file.c", "linux/rnn_edge_linux.h")
LANGUAGE = ("-std=c11", "-D_XOPEN_SOURCE=700")
FLAGS = (*LANGUAGE, "-O3")
MOST_PAYLOAD = 16_384
"""In bytes: a host has the memory, and large frames cost a request less often."""
SIZES = (f"-DRNN_EDGE_LINK_PAYLOAD={MOST_PAYLOAD}", "-DRNN_EDGE_APP_RECEIVE_BYTES=4096")


def build_link_program(
    compiler: Sequence[str],
    model: QuantizedModel,
    sources: Sequence[Path],
    work: Path,
    flags: Sequence[str] = SIZES,
    app: AppConfig | None = None,
) -> Path:
    """Compile the program, unless that was done before.

    It serves its standard input and output, or with the argument ``--pty`` a pseudo-terminal whose
    path it prints; ``firmware_templates/linux/link.c`` has its other arguments.

    Args:
        compiler: The command that compiles and links.
        model: The model that was exported.
        sources: The exported C, headers too.
        work: Where the program is kept.
        flags: Options beside `FLAGS`: sizes of ``rnn_edge_link_server.h``.
        app: What the application does; None for one that decides nothing.

    Raises:
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the program cannot be written, or the compiler does not run.
    """
    recipe = Recipe(
        target="link",
        compiler=tuple(compiler),
        version=(*compiler[1:], "--version"),
        flags=(*FLAGS, *flags),
        templates=TEMPLATES,
    )
    return build_program(recipe, model, sources, work, service=LINK, app=app)
