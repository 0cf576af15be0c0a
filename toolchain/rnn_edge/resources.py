"""Finds the data folders that travel with the package.

A wheel carries them inside the package, under ``_data``; in a source checkout, and so in an
editable install, they stand at the repository root.
"""

from __future__ import annotations

from pathlib import Path

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.registry import known

FOLDERS = ("calibration", "devices", "firmware_templates", "models")

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """Return the absolute path of a data folder.

    Args:
        name: One of `FOLDERS`.

    Raises:
        EnvironmentFailureError: If the installation does not have it.
    """
    if name not in FOLDERS:
        raise ValueError(f"{name!r} is not a data folder; known are {known(FOLDERS)}")
    installed = _PACKAGE / "_data" / name
    checkout = _PACKAGE.parents[1] / name
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise EnvironmentFailureError(
        f"Data folder {name!r} not found: neither {installed} nor {checkout} exists.",
        "install rnn-edge again",
    )
