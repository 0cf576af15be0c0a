"""The functions of a linked program, by the names that the compiler's call graph has for them."""

from __future__ import annotations

import struct
from pathlib import Path

from rnn_edge.errors import EngineError
from rnn_edge.firmware.elf_sections import elf_sections

_SYMBOL = struct.Struct("<IIIBBH")
"""Name, value, size, type and binding, visibility, section; of 32-bit files.

Source: Tool Interface Standard, Executable and Linking Format 1.2, "Symbol Table".
"""
_FUNCTION, _FILE, _LOCAL = 2, 4, 0


def functions_of(program: Path) -> dict[str, int]:
    """Return the address of every function by title: "file.c:name" for static ones, else the name.

    Args:
        program: A 32-bit little-endian ELF file.

    Raises:
        EngineError: If it has no table of symbols.
    """
    content = program.read_bytes()
    tables = {s.name: content[s.offset : s.offset + s.size] for s in elf_sections(program)}
    symbols, names = tables.get(".symtab", b""), tables.get(".strtab", b"")
    if not symbols or len(symbols) % _SYMBOL.size or content[4:6] != b"\x01\x01":
        raise EngineError(f"Program {program.name} names no functions; expected a 32-bit ELF file.")
    found, file = {}, ""
    for name_at, address, _, info, _, section in _SYMBOL.iter_unpack(symbols):
        name = names[name_at : names.index(b"\0", name_at)].decode()
        if info & 15 == _FILE:
            file = Path(name).name
        elif info & 15 == _FUNCTION and section:
            found[f"{file}:{name}" if info >> 4 == _LOCAL else name] = address
    return found
