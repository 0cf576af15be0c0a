"""An exported front end, compiled for this host."""

from __future__ import annotations

from pathlib import Path

from rnn_edge.engines.c_host import library_recipe
from rnn_edge.exporters.front_library import FrontLibrary
from rnn_edge.firmware.program import build
from rnn_edge.types import QuantizedModel


def build_front_end(
    library: FrontLibrary, model: QuantizedModel, exports: Path, work: Path
) -> Path:
    """Compile an exported front end, once for the same sources and compiler.

    Args:
        library: Of sound or of sensors.
        model: The model that it was exported with.
        exports: The exporters' output folder.
        work: Where the library is kept.

    Returns:
        The library's absolute path.

    Raises:
        MissingDependencyError: If there is no compiler.
        EngineError: If the export is not there or does not compile.
        EnvironmentFailureError: If the library cannot be written.
    """
    sources = library.sources(model.name, exports)
    return build(library_recipe("c", ()), f"{model.name}_frontend", sources, work)
