"""Copies a starting point into a folder, never over something that is there."""

from __future__ import annotations

import errno
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError

DOTFILE_PREFIX = "dot-"
"""Hidden files are stored under visible names: packaging leaves hidden ones out."""


def write_starter(source: Path, directory: Path) -> list[Path]:
    """Write all files of a starting point.

    Args:
        source: Folder of the files.
        directory: Where they go; made if it is missing.

    Returns:
        The files written.

    Raises:
        EnvironmentFailureError: If one of them is there already, or cannot be written.
        OSError: If the folder's path is too long.
    """
    targets = {
        directory / path.name.replace(DOTFILE_PREFIX, ".", 1): path
        for path in sorted(source.iterdir())
    }
    for target in targets:
        if target.exists() or target.is_symlink():
            raise EnvironmentFailureError(
                f"File {target} exists; a starting point is never written over it.",
                "choose another folder, or move the file away",
            )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for target, path in targets.items():
            with target.open("xb") as file:
                file.write(path.read_bytes())
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise
        raise EnvironmentFailureError(
            f"Folder {directory} cannot be written: {error.strerror}.",
            "choose a folder you may write to",
        ) from error
    return sorted(targets)
