"""Folders that compilers work in, beside what they make."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".scratch-"
ABANDONED_AFTER_S = 3600.0
"""No compiler runs for so long: whoever made the folder was killed."""


@contextmanager
def scratch_folder(work: Path) -> Iterator[Path]:
    """Make an empty folder within another and remove it at the end, with any that were abandoned.

    Args:
        work: Made if it is missing; on the same file system as the folder, so that results can be
            moved into place.

    Raises:
        OSError: If it cannot be written to.
    """
    work.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(work)
    with tempfile.TemporaryDirectory(dir=work, prefix=PREFIX) as place:
        yield Path(place)


def _remove_abandoned(work: Path) -> None:
    for folder in work.glob(f"{PREFIX}*"):
        try:
            age = time.time() - folder.stat().st_mtime
        except FileNotFoundError:
            continue
        if age > ABANDONED_AFTER_S:
            shutil.rmtree(folder, ignore_errors=True)
