"""The kinds of packages: folders in ``firmware_templates`` with a `package.toml`.

To add a kind: one such folder. Its other files are the package's own, each at its place; in files
that are not C or C++ a name between two ``@`` is filled in by `rnn_edge.firmware.packages`. What is
the same as a file of another kind is named under ``[copied]``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.resources import data_folder

DESCRIPTION = "package.toml"


@dataclass(frozen=True)
class CompiledFor:
    """A processor that tests compile a kind's C for.

    Attributes:
        name: Of the processor.
        compiler: A program.
        flags: Its options, close to those that the ecosystem gives.
    """

    name: str
    compiler: str
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A project inside of a package.

    Attributes:
        project: Folder that the ecosystem's tools build.
        sources: Where the C goes that it shares with other kinds.
    """

    project: str
    sources: str


@dataclass(frozen=True)
class PackageKind:
    """What users of one ecosystem take home.

    Attributes:
        name: What users type; the folder's name.
        summary: One line.
        folder: The templates.
        sources: Where in the package the exported C goes.
        selftest: The example that compares bits.
        device: The example that is firmware: it steps frames and answers the link.
        settings: Macros that all C of the firmware sees, sizes of the link.
        copied: Files that are those of other kinds, by their place in the package.
        taken: Names that a model may not have there, in small letters.
        compiled: What its C is compiled for by the tests.
    """

    name: str
    summary: str
    folder: Path
    sources: str
    selftest: Example
    device: Example
    settings: Mapping[str, int]
    copied: Mapping[str, Path]
    taken: frozenset[str]
    compiled: tuple[CompiledFor, ...]

    def templates(self) -> dict[str, Path]:
        """Return the kind's files by their place in the package."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        named = {path.relative_to(self.folder).as_posix(): path for path in files}
        own = {name: path for name, path in named.items() if name != DESCRIPTION}
        return dict(sorted({**own, **self.copied}.items()))


def all_package_kinds() -> dict[str, PackageKind]:
    """Return every kind by name.

    Raises:
        EnvironmentFailureError: If a description is damaged or the templates are not installed.
    """
    found = sorted(data_folder("firmware_templates").glob(f"*/{DESCRIPTION}"))
    return {path.parent.name: _read(path) for path in found}


def _read(path: Path) -> PackageKind:
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text())
        compiled = tuple(
            CompiledFor(row.pop("name"), row.pop("compiler"), tuple(row.pop("flags")))
            for row in values.pop("compiled")
        )
        kind = PackageKind(
            path.parent.name,
            values.pop("summary"),
            path.parent,
            values.pop("sources"),
            Example(**values.pop("selftest")),
            Example(**values.pop("device")),
            values.pop("settings", {}),
            {name: path.parents[1] / other for name, other in values.pop("copied", {}).items()},
            frozenset(values.pop("taken")),
            compiled,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EnvironmentFailureError(
            f"Description {path} of a kind of package cannot be read: {error!r}.",
            "install rnn-edge again",
        ) from error
    if values:
        raise EnvironmentFailureError(
            f"Description {path} has unknown keys: {', '.join(values)}.", "install rnn-edge again"
        )
    return kind
