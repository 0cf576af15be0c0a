"""The folder that a build writes to: whether it may, and what is left of a build that failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rnn_edge.errors import BundleError
from rnn_edge.pipeline.bundle import FORMAT, MANIFEST, STAGES
from rnn_edge.pipeline.files import explained, read_json

_SHOWN = 3


@contextmanager
def output_folder(out: Path) -> Iterator[None]:
    """Make the folder of a bundle; take it away again if nothing came into it.

    Raises:
        BundleError: If it holds something that no build made.
        EnvironmentFailureError: If it cannot be made.
    """
    _refuse_foreign(out)
    with explained(f"Making folder {out}"):
        made = _missing(out)
        out.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        _remove_empty(made)
        raise


def before(out: Path) -> dict[str, Any]:
    """Return the manifest of the bundle that is in a folder, or nothing."""
    try:
        manifest = read_json(out / MANIFEST)
        is_bundle = manifest["format"] == FORMAT and isinstance(manifest["stages"], dict)
        return manifest if is_bundle else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _refuse_foreign(out: Path) -> None:
    """Refuse a folder with somebody's files: a bundle has a spec.toml too, and would replace it."""
    # Manifests are common things; a folder of stages is what every build makes first.
    if not out.is_dir() or (out / STAGES).is_dir() or before(out):
        return
    names = sorted(path.name for path in out.iterdir())
    if not names:
        return
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    raise BundleError(
        f"Folder {out} is not a bundle and not empty: it has {', '.join(names[:_SHOWN])}{more}.",
        "choose a folder of its own for the bundle with --out",
    )


def _missing(out: Path) -> list[Path]:
    """Return the folders that making ``out`` makes, the innermost first."""
    missing = []
    for folder in (out, *out.parents):
        if folder.exists():
            break
        missing.append(folder)
    return missing


def _remove_empty(made: list[Path]) -> None:
    """Remove the folders that a build made and left empty."""
    for folder in made:
        if any(folder.iterdir()):
            return
        folder.rmdir()
