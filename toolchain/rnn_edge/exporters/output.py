"""Writing an exporter's file: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError, hint_of


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside ``path`` and move it into place.

    Raises:
        EnvironmentFailureError: If the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise EnvironmentFailureError(
            f"Writing {path} failed: {error.strerror}; expected a folder that can be written.",
            hint_of(error) or "choose another output folder",
        ) from error
