"""Finds the spec that a command means where none is named."""

from __future__ import annotations

from pathlib import Path

from rnn_edge.errors import SpecError

SPEC_FILE = "spec.toml"
_OF_A_BUNDLE = "manifest.json"
"""A bundle holds the spec that it was made of; it is built again only when it is named."""


def spec_here(folder: Path) -> Path | None:
    """Return the spec of a folder: its own, or the only one in a folder within it.

    Raises:
        SpecError: If several folders within it have one.
    """
    found = specs_here(folder)
    if len(found) > 1:
        listed = ", ".join(str(file) for file in found)
        raise SpecError(
            f"Spec: none is named, and {len(found)} are here: {listed}; expected one of them.",
            f'"rnn-edge build {found[0]}", or "rnn-edge build demo" for the embedded example',
        )
    return found[0] if found else None


def specs_here(folder: Path) -> list[Path]:
    """Return the spec of a folder, or where it has none those in folders within it."""
    own = folder / SPEC_FILE
    if _is_spec(own):
        return [own]
    return sorted(file for file in folder.glob(f"*/{SPEC_FILE}") if _is_spec(file))


def _is_spec(file: Path) -> bool:
    return file.is_file() and not (file.parent / _OF_A_BUNDLE).exists()
