"""Opens the bundle that a command line names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnn_edge.errors import BundleError

if TYPE_CHECKING:
    from rnn_edge.pipeline import Bundle


def open_bundle(path: Path) -> Bundle:
    """Return a finished and unchanged bundle.

    Raises:
        BundleError: If nothing is there, or it is none.
    """
    from rnn_edge.pipeline import Bundle

    if not path.exists():
        raise BundleError(
            f"Bundle {path} does not exist; expected the folder of a finished build.",
            "make one with: rnn-edge build SPEC --out DIR",
        )
    return Bundle.open(path)
