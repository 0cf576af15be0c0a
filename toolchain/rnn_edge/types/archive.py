"""Named arrays with a JSON header in one ``.npz`` file."""

from __future__ import annotations

import json
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import BundleError, ModelError
from rnn_edge.types.arrays import Array

_DAMAGE = (
    OSError,
    LookupError,
    OverflowError,
    TypeError,
    ValueError,
    EOFError,
    MemoryError,  # a damaged header may announce an array of any size
    RuntimeError,  # zipfile: flags of an encrypted or unknown format
    SyntaxError,  # numpy: a header that is no literal
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged archive ends in, depending on where the damage is."""


def save_archive(path: Path, meta: dict[str, Any], arrays: Iterable[tuple[str, Array]]) -> None:
    """Write ``meta`` and ``arrays``; the bytes depend on their content alone.

    Args:
        path: Where to write; the ending must be ``.npz``, or numpy would add it.
        meta: JSON-serialisable header with a key "format".
        arrays: Name and array, in the order they are written.
    """
    header = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), np.uint8)
    np.savez(path, meta=header, **dict(arrays))  # type: ignore[arg-type]


def load_archive(
    path: Path | str, expected_format: str, *earlier: str
) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read what `save_archive` wrote.

    Args:
        path: The archive.
        expected_format: What its header calls itself.
        earlier: Formats of before that the caller reads too.

    Raises:
        BundleError: If the file is missing, damaged or of another format.
    """
    try:
        # Opened here: numpy leaves a file that is no archive open.
        with Path(path).open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop("meta").tobytes())
        found = meta["format"]
    except _DAMAGE as error:
        raise _unreadable(path, error, expected_format) from error
    if found not in (expected_format, *earlier):
        raise BundleError(f"File {path} has format {found!r}; expected {expected_format!r}.")
    return meta, arrays


@contextmanager
def consistent(path: Path | str, expected_format: str) -> Iterator[None]:
    """Turn what a readable archive with the wrong content ends in into one clear message.

    Args:
        path: The archive, for the message.
        expected_format: Its format, for the message.

    Raises:
        BundleError: If an array is missing or does not fit the others.
    """
    try:
        yield
    except (ModelError, LookupError, TypeError, ValueError) as error:
        raise _unreadable(path, error, expected_format) from error


def _unreadable(path: Path | str, error: BaseException, expected_format: str) -> BundleError:
    reason = str(error).rstrip(".") or type(error).__name__
    if isinstance(error, KeyError):
        reason = f"{reason} is missing"
    return BundleError(
        f"File {path} cannot be read: {reason}; expected a {expected_format!r} archive.",
        "build the bundle again",
    )
