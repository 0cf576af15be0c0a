"""Object files: those of hand-written code are kept, for they are the same for every model."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rnn_edge.cache import cache_folder
from rnn_edge.errors import EnvironmentFailureError
from rnn_edge.firmware.call_graph import FLAG as GRAPH_FLAG
from rnn_edge.firmware.call_graph import SUFFIX as GRAPH_SUFFIX
from rnn_edge.firmware.toolchain import without_linking
from rnn_edge.programs import call

FOLDER = "objects"
"""Of the user's cache."""
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:["<]([^">]+)[">]|(\w))', re.MULTILINE)
_FOR_LINKING = ("-static", "-shared", "-s", "-nostdlib", "-pie", "-rdynamic")


@dataclass(frozen=True)
class Compilation:
    """How the files of a program become objects.

    Attributes:
        compiler: The command.
        version: What the compiler says it is.
        flags: Its options; those of the linker are left out.
        contents: Files by name, of the folder that holds nothing else.
        changing: Those that belong to a model; objects that see any of them are not kept.
        variables: Set in the compiler's environment.
    """

    compiler: Sequence[str]
    version: str
    flags: Sequence[str]
    contents: Mapping[str, bytes]
    changing: Collection[str]
    variables: Mapping[str, str] = field(default_factory=dict)


def compile_objects(
    what: Compilation, folder: Path
) -> tuple[list[str], subprocess.CompletedProcess[str] | None]:
    """Compile the files of a program in the folder that they were written to.

    Args:
        what: How.
        folder: Where the contents are; the objects, and the call graphs that were asked for, come
            to lie there by the names of their sources.

    Returns:
        The objects in the order of their sources; and how the compiler ended where it failed.

    Raises:
        EnvironmentFailureError: If the compiler does not run.
        OSError: If the folder cannot be written to.
    """
    flags = [flag for flag in without_linking(what.flags) if flag not in _FOR_LINKING]
    suffixes = (GRAPH_SUFFIX, ".o") if GRAPH_FLAG in flags else (".o",)
    code = sorted(name for name in what.contents if name.endswith(".c"))
    kept = _kept(what, flags, code)
    missing = [name for name in code if not _taken(kept.get(name), name, folder, suffixes)]
    if missing:
        command = [*what.compiler, *flags, "-I.", "-c", *missing]
        done = call(command, folder, what.variables)
        if done.returncode != 0:
            return [], done
    for name in missing:
        if name in kept:
            _keep(kept[name], name, folder, suffixes)
    return [f"{PurePosixPath(name).stem}.o" for name in code], None


def _kept(what: Compilation, flags: Sequence[str], code: Sequence[str]) -> dict[str, Path]:
    """Return where the objects are kept that can be, without a suffix."""
    try:
        folder = cache_folder() / FOLDER
    except EnvironmentFailureError:
        return {}
    how = (tuple(what.compiler), what.version, tuple(flags), sorted(what.variables.items()))
    included = _included(what.contents)
    places = {}
    for name in code:
        seen = _seen(name, included)
        if seen is None or not seen.isdisjoint(what.changing):
            continue
        key = hashlib.sha256(repr(how).encode())
        key.update(name.encode())
        for file in sorted(seen):
            content = what.contents[file]
            key.update(f"\0{file}\0{len(content)}\0".encode() + content)
        digits = key.hexdigest()
        places[name] = folder / digits[:2] / digits[2:32]
    return places


def _included(contents: Mapping[str, bytes]) -> dict[str, set[str] | None]:
    """Return what each file may include, whatever folders are searched; None if not known."""
    called: dict[str, set[str]] = {}
    for name in contents:
        called.setdefault(PurePosixPath(name).name, set()).add(name)
    included: dict[str, set[str] | None] = {}
    for name in contents:
        if not name.endswith((".c", ".h")):
            continue
        found = _INCLUDE.findall(contents[name].decode())
        is_known = not any(computed for _, computed in found)
        names = [called.get(PurePosixPath(file).name, set()) for file, _ in found]
        included[name] = set().union(*names) if is_known else None
    return included


def _seen(name: str, included: Mapping[str, set[str] | None]) -> set[str] | None:
    """Return all files that a file may include, itself too, or None where that is not known."""
    seen, waiting = {name}, [name]
    while waiting:
        direct = included.get(waiting.pop(), set())
        if direct is None:
            return None
        waiting += direct - seen
        seen |= direct
    return seen


def _taken(kept: Path | None, name: str, folder: Path, suffixes: Sequence[str]) -> bool:
    """Whether what was kept of a file is in the folder now."""
    if kept is None:
        return False
    stem = PurePosixPath(name).stem
    try:
        for suffix in suffixes:
            shutil.copyfile(kept.with_suffix(suffix), folder / f"{stem}{suffix}")
    except OSError:
        return False
    return True


def _keep(kept: Path, name: str, folder: Path, suffixes: Sequence[str]) -> None:
    """Keep what a file was compiled to; where that cannot be, it is compiled again next time."""
    stem = PurePosixPath(name).stem
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as place:
            for suffix in suffixes:
                # The object last, without which the other is not looked for.
                written = shutil.copyfile(folder / f"{stem}{suffix}", Path(place) / suffix)
                Path(written).replace(kept.with_suffix(suffix))
