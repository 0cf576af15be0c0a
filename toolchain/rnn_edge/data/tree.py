"""Files below a folder or inside an archive, read without unpacking."""

from __future__ import annotations

import lzma
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Protocol, TypeVar

from rnn_edge.errors import DataError

T = TypeVar("T")
AUDIO_SUFFIXES = (".wav", ".flac")
"""Endings of files with sound."""
_TAR_ERRORS = (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError)


class FileTree(Protocol):
    """Files by name, wherever they are stored."""

    @property
    def path(self) -> Path:
        """The folder, archive or file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names with "/" below the one leading folder, sorted; hidden files are left out."""

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of the given files, in whatever order is cheapest.

        Raises:
            DataError: If a file cannot be read.
        """


@dataclass(frozen=True)
class FolderTree:
    """A folder, or a single file in it."""

    path: Path
    files: MappingProxyType[str, Path]

    @property
    def names(self) -> tuple[str, ...]:
        """As in `FileTree`."""
        return tuple(self.files)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """As in `FileTree`."""
        for name in sorted(names):
            try:
                yield name, self.files[name].read_bytes()
            except OSError as error:
                raise DataError(
                    f"File {self.files[name]} cannot be read: {error.strerror}."
                ) from error


@dataclass(frozen=True)
class TarTree:
    """A tar archive, with or without compression."""

    path: Path
    members: MappingProxyType[str, tarfile.TarInfo]

    @property
    def names(self) -> tuple[str, ...]:
        """As in `FileTree`."""
        return tuple(self.members)

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """As in `FileTree`; in the order of the archive, so that it is unpacked only once."""
        wanted = sorted(names, key=lambda name: self.members[name].offset)
        name = ""
        try:
            with tarfile.open(self.path, "r:*") as archive:
                for name in wanted:
                    member = self.members[name]
                    stream = archive.extractfile(member)
                    content = stream.read() if stream else b""
                    if len(content) != member.size:
                        raise tarfile.ReadError("unexpected end of data")
                    yield name, content
        except _TAR_ERRORS as error:
            raise DataError(
                f"Archive {self.path} cannot be read at {name}: {error}; expected a whole archive.",
                "get the archive again and compare its digest",
            ) from error


def open_tree(path: Path) -> FileTree:
    """List a folder, a tar archive or a single file.

    Args:
        path: What to list. One folder that holds everything else is left out of the names, unless
            there is sound right in it.

    Raises:
        DataError: If the path does not exist, holds no file, or the archive is cut short.
    """
    if path.is_dir():
        below = {p.relative_to(path).as_posix(): p for p in path.rglob("*") if p.is_file()}
        tree: FileTree = FolderTree(path, _below_leading_folder(below))
    elif not path.exists():
        raise DataError(
            f"Data path {path} does not exist; expected a folder, a tar archive or a data file.",
            "check the path",
        )
    elif _is_archive(path):
        tree = TarTree(path, _below_leading_folder(_list_members(path)))
    else:
        tree = FolderTree(path, MappingProxyType({path.name: path}))
    if not tree.names:
        raise DataError(f"Data path {path} holds no files; expected recordings.")
    return tree


def _is_archive(path: Path) -> bool:
    """Go by the name, so that a damaged archive is reported as one."""
    endings = [suffix.lower() for suffix in path.suffixes[-2:]]
    return ".tar" in endings or endings[-1:] in ([".tgz"], [".txz"], [".tbz2"])


def _list_members(path: Path) -> dict[str, tarfile.TarInfo]:
    try:
        with tarfile.open(path, "r:*") as archive:
            members = {
                PurePosixPath(member.name).as_posix(): member
                for member in archive
                if member.isreg()
            }
            # `tarfile` takes the end of a cut file for the end of the archive; a whole archive
            # has a block of zeros there (POSIX.1-2001 pax, "ustar Interchange Format").
            stream = archive.fileobj
            if stream is not None:
                stream.seek(archive.offset)
                if len(stream.read(tarfile.BLOCKSIZE)) != tarfile.BLOCKSIZE:
                    raise tarfile.ReadError("it stops without its end mark")
    except _TAR_ERRORS as error:
        # `tarfile` lists every compression that it tried, a line each.
        reason = str(error).partition("\n")[0].rstrip(":- ")
        raise DataError(
            f"Archive {path} cannot be read: {reason}; expected a whole tar archive.",
            "get the archive again and compare its digest",
        ) from error
    return members


def _below_leading_folder(files: dict[str, T]) -> MappingProxyType[str, T]:
    """Drop hidden files and the one folder that everything is in, and sort by name."""
    split = {PurePosixPath(name).parts: file for name, file in files.items()}
    seen = {parts: f for parts, f in split.items() if not any(p.startswith(".") for p in parts)}
    # A folder that holds sound itself is a word, not a folder round the data set.
    is_word = any(
        len(parts) == 2 and PurePosixPath(parts[1]).suffix.lower() in AUDIO_SUFFIXES
        for parts in seen
    )
    is_around = len({parts[0] for parts in seen}) == 1 and all(len(parts) > 1 for parts in seen)
    if is_around and not is_word:
        seen = {parts[1:]: file for parts, file in seen.items()}
    return MappingProxyType({"/".join(parts): seen[parts] for parts in sorted(seen)})
