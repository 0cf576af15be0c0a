"""What a data source is, and how one is loaded by name.

A new kind of source is one module here with a variable ``SOURCE``, and one dataclass of options
in `rnn_edge.data.options`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_edge import data
from rnn_edge.errors import DataError
from rnn_edge.registry import discover, lookup
from rnn_edge.types import Dataset


@dataclass(frozen=True)
class DataSource:
    """One kind of source.

    Attributes:
        name: What users type, e.g. "speech-commands".
        summary: One line for help and reports.
        extra: The optional dependency group it needs, or an empty string.
        needs_path: Whether it reads files; the others make their data.
        options: Type of its options.
        load: Returns the data set, given path (None where none is needed), options and seed.
        takes_path: Whether one that makes its data can add files to it.
    """

    name: str
    summary: str
    extra: str
    needs_path: bool
    options: type[Any]
    load: Callable[[Path | None, Any, int], Dataset]
    takes_path: bool = False


def all_sources() -> dict[str, DataSource]:
    """Return every kind of source by name."""
    return discover(data, "SOURCE", DataSource)


def load_dataset(
    kind: str, path: Path | None = None, options: object | None = None, seed: int = 0
) -> Dataset:
    """Load a data set.

    Args:
        kind: Name of the source.
        path: Folder, archive or file; None for a source that makes its data.
        options: Instance of the source's options; None for its defaults.
        seed: For whatever is drawn at random, >= 0; same input and seed, same data set.

    Raises:
        DataError: If the data cannot be used, or a path is missing or not wanted.
        RnnEdgeError: If the kind is unknown.
        TypeError: If the options are those of another source.
    """
    source = lookup(all_sources(), kind, "kind of data")
    if source.needs_path and path is None:
        raise DataError(
            f"Data source {kind} has no path; expected a folder or an archive.",
            "give it with --data or as path in the [data] table of the spec",
        )
    if path is not None and not (source.needs_path or source.takes_path):
        raise DataError(
            f"Data source {kind} makes its data; the path {path} has no meaning there.",
            f'a bundle is tried on recordings with "rnn-edge evaluate BUNDLE --data {path}"; to '
            f'train on them, begin with "rnn-edge data inspect {path}"',
        )
    chosen = source.options() if options is None else options
    if not isinstance(chosen, source.options):
        raise TypeError(f"{kind} takes {source.options.__name__}, not {type(chosen).__name__}")
    return source.load(path, chosen, seed)
