"""Named arrays with a JSON header in one ``.npz`` file."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from rnn_edge.errors import BundleError
from rnn_edge.types.arrays import Array


def save_archive(path: Path, meta: dict[str, Any], arrays: Iterable[tuple[str, Array]]) -> None:
    """Write ``meta`` and ``arrays``; the bytes depend on their content alone.

    Args:
        path: Where to write; the ending must be ``.npz``, or numpy would add it.
        meta: JSON-serialisable header with a key "format".
        arrays: Name and array, in the order they are written.
    """
    header = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), np.uint8)
    np.savez(path, meta=header, **dict(arrays))  # type: ignore[arg-type]


def load_archive(path: Path, expected_format: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """Read what `save_archive` wrote.

    Raises:
        BundleError: If the file is missing, damaged or of another format.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop("meta").tobytes())
        found = meta["format"]
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as e:
        raise BundleError(
            f"File {path} cannot be read: {e}; expected a {expected_format!r} archive.",
            "build the bundle again",
        ) from e
    if found != expected_format:
        raise BundleError(f"File {path} has format {found!r}; expected {expected_format!r}.")
    return meta, arrays
