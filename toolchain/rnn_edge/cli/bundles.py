"""Opens the bundle that a command line names, or finds the one that is here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rnn_edge.cli.specs import specs_here
from rnn_edge.errors import BundleError

if TYPE_CHECKING:
    from rnn_edge.pipeline import Bundle

OUT = Path("out")
"""Where a build puts bundles unless it is told otherwise."""
_MANIFEST = "manifest.json"


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


def bundle_here(folder: Path) -> Path:
    """Return the bundle that a command means where none is named.

    It is the folder itself if that is one, or the one that `rnn-edge build` makes here: of the
    only spec that is here, or else the only one in `OUT`.

    Args:
        folder: Where the command runs.

    Raises:
        BundleError: If there is none, or several.
    """
    if (folder / _MANIFEST).is_file():
        return folder
    specs = specs_here(folder)
    if len(specs) == 1:
        return folder / OUT / _name_of(specs[0])
    found = sorted(file.parent for file in (folder / OUT).glob(f"*/{_MANIFEST}"))
    if not found:
        raise BundleError(
            f"Bundle: none is named, and none is in {folder / OUT}; expected a finished build.",
            'make one with "rnn-edge build"',
        )
    if len(found) > 1:
        listed = ", ".join(str(path) for path in found)
        raise BundleError(
            f"Bundle: none is named, and {len(found)} are here: {listed}; expected one of them.",
            f"name it, e.g. {found[0]}",
        )
    return found[0]


def _name_of(spec: Path) -> str:
    from rnn_edge.spec import load_spec

    return load_spec(spec, []).model.name
