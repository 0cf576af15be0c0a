"""Sizes of the sections of an ELF file, of any processor."""

from __future__ import annotations

import struct
from pathlib import Path

from rnn_edge.errors import EngineError

_MAGIC = b"\x7fELF"
_ALLOCATED = 2
"""SHF_ALLOC: the section is in memory while the program runs."""
_WRITABLE = 1
"""SHF_WRITE."""
_HEADERS = {1: ("I", 32, "HHH", 46), 2: ("Q", 40, "HHH", 58)}
"""By class, 32 and 64 bits: where the header says where the sections are, and how many."""
_SECTIONS = {1: "IIIIII", 2: "IIQQQQ"}
"""Name, type, flags, address, offset and size of a section.

Source: Tool Interface Standard, Executable and Linking Format 1.2; System V ABI, chapter 4.
"""


def allocated_bytes(file: Path) -> tuple[int, int]:
    """Return the bytes that a file's code and constants, and its variables, take in memory.

    Args:
        file: An object file or a program.

    Raises:
        EngineError: If it is no ELF file.
    """
    content = file.read_bytes()
    try:
        kind, order = content[4], "<" if content[5] == 1 else ">"
        place, place_at, counts, counts_at = _HEADERS[kind]
        if content[:4] != _MAGIC:
            raise KeyError(content[:4])
        (start,) = struct.unpack_from(order + place, content, place_at)
        size, count, _ = struct.unpack_from(order + counts, content, counts_at)
        rows = [
            struct.unpack_from(order + _SECTIONS[kind], content, start + k * size)
            for k in range(count)
        ]
    except (IndexError, KeyError, OverflowError, struct.error) as error:
        raise EngineError(f"File {file.name} is no ELF file; expected an object file.") from error
    kept = [(flags, length) for _, _, flags, _, _, length in rows if flags & _ALLOCATED]
    return (
        sum(length for flags, length in kept if not flags & _WRITABLE),
        sum(length for flags, length in kept if flags & _WRITABLE),
    )
