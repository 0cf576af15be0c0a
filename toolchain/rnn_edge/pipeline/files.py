"""Files that are there whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnn_edge.errors import EnvironmentFailureError, hint_of

CHUNK_BYTES = 1 << 20
TEMPORARY = "unfinished-"
"""Files and folders of work in progress; what a killed process leaves behind has this prefix."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, as 64 hexadecimal digits."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            hasher.update(chunk)
    return hasher.hexdigest()


def tree_digests(root: Path) -> dict[str, str]:
    """Return the digest of every file below a folder, by its path with forward slashes."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): file_digest(path) for path in files}


def write_bytes(path: Path, content: bytes, work: Path | None = None) -> None:
    """Write a file through a temporary one, moved into place.

    Args:
        path: The file.
        content: All of it.
        work: Folder of the temporary file, on the same file system; by default the file's own.
    """
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=work or path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: object, work: Path | None = None) -> None:
    """Write JSON with sorted keys, as `write_bytes` does; the same value gives the same bytes."""
    text = json.dumps(value, indent=1, sort_keys=True, allow_nan=False)
    write_bytes(path, (text + "\n").encode(), work)


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Read a JSON file."""
    return json.loads(path.read_text())


def copy_file(source: Path, target: Path) -> str:
    """Copy a file to where none is; return the digest of the copy.

    Args:
        source: What is copied.
        target: Where to; its folder is made if it is not there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)
    return file_digest(target)


def move_file(source: Path, target: Path) -> None:
    """Move a file into place on its file system; the target's folder is made if need be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)


@contextmanager
def explained(action: str, option: str = "--out") -> Iterator[None]:
    """Turn what the operating system refuses into one clear message.

    Args:
        action: What was being done, as the start of a sentence.
        option: That names the place, for the hint.

    Raises:
        EnvironmentFailureError: For every OSError inside.
    """
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reason = error.strerror or str(error)
        raise EnvironmentFailureError(
            f"{action} failed: {reason}{where}.", hint_of(error).replace("--out", option)
        ) from error
