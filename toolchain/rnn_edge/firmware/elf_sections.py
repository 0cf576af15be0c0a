"""Sections of an ELF file, of any processor: what they take, and where the linker placed them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from rnn_edge.errors import EngineError

_MAGIC = b"\x7fELF"
_ALLOCATED = 2
"""SHF_ALLOC: the section is in memory while the program runs."""
_WRITABLE = 1
"""SHF_WRITE."""
_NO_BITS = 8
"""SHT_NOBITS: the file holds nothing of it."""
_LOADED = 1
"""PT_LOAD: a segment that is put into memory."""


@dataclass(frozen=True)
class _Layout:
    """Where the fields of a class of files, 32 or 64 bits, are.

    Source: Tool Interface Standard, Executable and Linking Format 1.2; System V ABI, chapter 4.
    """

    places: str
    places_at: int
    counts_at: int
    section: str
    segment: str
    segment_fields: tuple[int, int, int, int]


_LAYOUTS = {
    1: _Layout("II", 28, 42, "IIIIII", "IIIIII", (0, 1, 3, 4)),
    2: _Layout("QQ", 32, 54, "IIQQQQ", "IIQQQQ", (0, 2, 4, 5)),
}
"""Of a segment: which of its fields are type, offset, physical address and size in the file."""


@dataclass(frozen=True)
class ElfSection:
    """One section.

    Attributes:
        name: Its name.
        address: Where it is while the program runs.
        size: In bytes.
        offset: Of its contents in the file.
        is_allocated: Whether it is in memory while the program runs.
        is_writable: Whether the program may write to it.
        stored_at: Where its contents are before the program starts; None where the file holds
            none, or it is in no segment.
    """

    name: str
    address: int
    size: int
    offset: int
    is_allocated: bool
    is_writable: bool
    stored_at: int | None


def elf_sections(file: Path) -> tuple[ElfSection, ...]:
    """Return the sections of an object file or a program.

    Raises:
        EngineError: If it is no ELF file.
    """
    content = file.read_bytes()
    try:
        if content[:4] != _MAGIC:
            raise KeyError(content[:4])
        return _read(content, _LAYOUTS[content[4]], "<" if content[5] == 1 else ">")
    except (IndexError, KeyError, OverflowError, ValueError, struct.error) as error:
        raise EngineError(f"File {file.name} is no ELF file; expected an object file.") from error


def _read(content: bytes, layout: _Layout, order: str) -> tuple[ElfSection, ...]:
    segments_at, sections_at = struct.unpack_from(order + layout.places, content, layout.places_at)
    counts = struct.unpack_from(order + "HHHHH", content, layout.counts_at)
    segment_size, segment_count, section_size, section_count, names_in = counts
    rows = [
        struct.unpack_from(order + layout.section, content, sections_at + k * section_size)
        for k in range(section_count)
    ]
    segments = []
    for k in range(segment_count):
        row = struct.unpack_from(order + layout.segment, content, segments_at + k * segment_size)
        kind, offset, physical, length = (row[field] for field in layout.segment_fields)
        if kind == _LOADED and length:
            segments.append((offset, offset + length, physical))
    names_at = rows[names_in][4] if rows else 0
    found = []
    for name, kind, flags, address, offset, size in rows:
        begin = names_at + name
        stored = [start for start in segments if start[0] <= offset and offset + size <= start[1]]
        is_stored = flags & _ALLOCATED and kind != _NO_BITS and size and stored
        found.append(
            ElfSection(
                name=content[begin : content.index(b"\0", begin)].decode(),
                address=address,
                size=size,
                offset=offset,
                is_allocated=bool(flags & _ALLOCATED),
                is_writable=bool(flags & _WRITABLE),
                stored_at=stored[0][2] + offset - stored[0][0] if is_stored else None,
            )
        )
    return tuple(found)


def allocated_bytes(file: Path) -> tuple[int, int]:
    """Return the bytes that a file's code and constants, and its variables, take in memory.

    Args:
        file: An object file or a program.

    Raises:
        EngineError: If it is no ELF file.
    """
    kept = [section for section in elf_sections(file) if section.is_allocated]
    return (
        sum(section.size for section in kept if not section.is_writable),
        sum(section.size for section in kept if section.is_writable),
    )
