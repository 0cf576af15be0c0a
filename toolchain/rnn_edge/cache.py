"""Where the tool keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError

CACHE_VARIABLE = "RNN_EDGE_CACHE"


def cache_folder() -> Path:
    """Return the folder of what can be made again, which need not exist.

    It is ``$RNN_EDGE_CACHE``, or else ``rnn-edge`` in ``$XDG_CACHE_HOME`` or in ``~/.cache``.

    Source: XDG Base Directory Specification 0.8, which has relative paths ignored.

    Raises:
        EnvironmentFailureError: If no variable names a folder and there is no home folder.
    """
    chosen = os.environ.get(CACHE_VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    shared = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if shared.is_absolute():
        return shared / "rnn-edge"
    try:
        return Path.home() / ".cache" / "rnn-edge"
    except RuntimeError as error:
        raise EnvironmentFailureError(
            "No cache folder: neither XDG_CACHE_HOME nor a home folder is known.",
            f"set {CACHE_VARIABLE} to a folder that can be written",
        ) from error
