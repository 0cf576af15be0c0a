"""Linked programs in the forms that flash tools take: plain binary, Intel HEX, UF2.

Every form is made of the sections that a program has in memory before it starts, at the addresses
that they are stored at (LMA); the same program gives the same bytes.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from rnn_edge.errors import DeviceError, EngineError, EnvironmentFailureError
from rnn_edge.firmware.elf_sections import elf_sections
from rnn_edge.registry import known
from rnn_edge.spec import DeviceSpec

ERASED = 0xFF
"""What erased flash reads as: gaps are filled with it."""

LARGEST_SPAN_BYTES = 1 << 26
"""Between the first and the last byte of a program: a larger span is a mistake of the linker."""

UF2_FAMILIES: Mapping[str, int] = MappingProxyType(
    {"rp2040": 0xE48BFF56, "rp2350-arm-s": 0xE48BFF59, "nrf52840": 0xADA52840}
)
"""What a boot loader has to find in a file to take it.

Source: UF2, ``utils/uf2families.json``; RP2350 Datasheet, "UF2 targeting rules".
"""

_HEX_BYTES = 16
_UF2_BYTES = 256
_UF2_ROOM = 476
_UF2_FIRST, _UF2_SECOND, _UF2_LAST = 0x0A324655, 0x9E5D5157, 0x0AB16F30
_UF2_HAS_FAMILY = 0x2000


@dataclass(frozen=True)
class Program:
    """What is in memory before a program starts.

    Attributes:
        pieces: Addresses and bytes, in order of the addresses, none empty, none over another.
        entry: Where it starts.
    """

    pieces: tuple[tuple[int, bytes], ...]
    entry: int

    @property
    def origin(self) -> int:
        """The first address."""
        return self.pieces[0][0]

    @property
    def end(self) -> int:
        """The address after the last byte."""
        at, data = self.pieces[-1]
        return at + len(data)


def read_program(file: Path) -> Program:
    """Return what the ELF file of a program puts into memory.

    Args:
        file: Of a 32-bit processor, little-endian.

    Raises:
        DeviceError: If it is no such file, is damaged, or puts nothing into memory.
        EnvironmentFailureError: If it cannot be read.
    """
    what = f"Image {file}"
    try:
        content = file.read_bytes()
        sections = elf_sections(file)
    except OSError as error:
        raise EnvironmentFailureError(f"{what} cannot be read: {error.strerror}.") from error
    except EngineError as error:
        raise DeviceError(f"{what} is no ELF file, or is damaged; expected a program.") from error
    if content[4:6] != b"\x01\x01":
        raise DeviceError(f"{what} is not of a 32-bit processor, little-endian.")
    (listed_at,), (size, count) = (
        struct.unpack_from("<I", content, 32),
        struct.unpack_from("<HH", content, 46),
    )
    if listed_at + size * count > len(content):
        raise DeviceError(
            f"{what} is damaged: it ends at byte {len(content):,}; expected its list of sections "
            f"until {listed_at + size * count:,}."
        )
    stored = [(s.stored_at, s) for s in sections if s.stored_at is not None]
    pieces: list[tuple[int, bytes]] = []
    for at, section in sorted(stored, key=lambda pair: pair[0]):
        data = content[section.offset : section.offset + section.size]
        if len(data) != section.size:
            raise DeviceError(
                f"{what} is damaged: section {section.name} has {len(data):,} bytes; expected "
                f"{section.size:,}."
            )
        if pieces and at < pieces[-1][0] + len(pieces[-1][1]):
            raise DeviceError(f"{what}: section {section.name} is stored over another one.")
        pieces.append((at, data))
    if not pieces:
        raise DeviceError(f"{what} puts nothing into memory; expected a linked program.")
    (entry,) = struct.unpack_from("<I", content, 24)
    found = Program(tuple(pieces), entry)
    if found.end - found.origin > LARGEST_SPAN_BYTES:
        raise DeviceError(
            f"{what} spans {found.end - found.origin:,} bytes from {found.origin:#010x}; expected "
            f"at most {LARGEST_SPAN_BYTES:,}."
        )
    return found


def to_binary(program: Program) -> bytes:
    """Return the bytes from the first address to the last, gaps as erased flash."""
    found = bytearray([ERASED]) * (program.end - program.origin)
    for at, data in program.pieces:
        found[at - program.origin : at - program.origin + len(data)] = data
    return bytes(found)


def to_intel_hex(program: Program) -> bytes:
    """Return records of Intel HEX.

    Addresses below 2^20 are told by their segment, others by their upper half, as
    ``arm-none-eabi-objcopy -O ihex`` does.

    Source: Intel, "Hexadecimal Object File Format Specification", revision A.
    """
    lines, base = [], 0
    for start, data in program.pieces:
        at = start
        while at < start + len(data):
            # A record lies in one piece of 64 KB.
            end = min(at + _HEX_BYTES, start + len(data), (at & ~0xFFFF) + 0x10000)
            if not base <= at < base + 0x10000:
                lines += _base_records(at, base)
                base = at & ~0xFFFF
            lines.append(_record(at - base, 0, data[at - start : end - start]))
            at = end
    lines.append(_start_record(program.entry))
    lines.append(_record(0, 1, b""))
    return "".join(f"{line}\r\n" for line in lines).encode()


def to_uf2(program: Program, family: int) -> bytes:
    """Return blocks of UF2, each with 256 bytes at a multiple of 256.

    Pages that the program has no byte of are left out; what it has none of in a page is as erased
    flash.

    Args:
        program: What to write.
        family: One of the values of `UF2_FAMILIES`.

    Source: Microsoft, "USB Flashing Format (UF2)".
    """
    pages: dict[int, bytearray] = {}
    for at, data in program.pieces:
        for offset, byte in enumerate(data, start=at):
            page = pages.setdefault(offset - offset % _UF2_BYTES, bytearray([ERASED]) * _UF2_BYTES)
            page[offset % _UF2_BYTES] = byte
    blocks = []
    for k, (at, page) in enumerate(sorted(pages.items())):
        head = (_UF2_FIRST, _UF2_SECOND, _UF2_HAS_FAMILY, at, _UF2_BYTES, k, len(pages), family)
        blocks.append(
            struct.pack("<8I", *head)
            + bytes(page).ljust(_UF2_ROOM, b"\0")
            + struct.pack("<I", _UF2_LAST)
        )
    return b"".join(blocks)


def uf2_family(device: DeviceSpec) -> int:
    """Return what the boot loader of a device has to find in a UF2 file.

    Raises:
        DeviceError: If the device's file does not say.
    """
    name = device.options.get("uf2", {}).get("family", "")
    if name not in UF2_FAMILIES:
        raise DeviceError(
            f"Device {device.name}, options.uf2: family = {name!r}; expected "
            f"{known(list(UF2_FAMILIES))}.",
            "name another --runner, or add it to the device's file",
        )
    return UF2_FAMILIES[name]


def write_image(elf: Path, kind: str, device: DeviceSpec) -> Path:
    """Write a program in the form that a runner takes, beside its ELF file.

    Args:
        elf: The linked program.
        kind: "elf", which is there already, "bin", "hex" or "uf2".
        device: What it is for.

    Returns:
        The file: the ELF file's name with the kind as its ending.

    Raises:
        DeviceError: If the program is damaged, does not begin where the device's flash does, or
            the kind is none.
        EnvironmentFailureError: If it cannot be read or written.
    """
    if kind == "elf":
        return elf
    forms: dict[str, Callable[[Program], bytes]] = {
        "bin": lambda program: _flash_binary(program, elf, device),
        "hex": to_intel_hex,
        "uf2": lambda program: to_uf2(program, uf2_family(device)),
    }
    if kind not in forms:
        raise DeviceError(f"Image form {kind!r}; expected {known(['elf', *forms])}.")
    content = forms[kind](read_program(elf))
    out = elf.with_suffix(f".{kind}")
    try:
        _replace(out, content)
    except OSError as error:
        raise EnvironmentFailureError(f"Image {out} cannot be written: {error}.") from error
    return out


def _replace(out: Path, content: bytes) -> None:
    """Write a file as a whole, or not at all."""
    with tempfile.NamedTemporaryFile(dir=out.parent, delete=False) as file:
        arriving = Path(file.name)
        try:
            file.write(content)
            file.close()
            arriving.replace(out)
        except BaseException:
            arriving.unlink(missing_ok=True)
            raise


def _flash_binary(program: Program, elf: Path, device: DeviceSpec) -> bytes:
    """Return the binary that is written to the beginning of flash: it says no address itself."""
    origin = None if device.memory is None else device.memory.flash_origin
    if program.origin != origin:
        expected = "none" if origin is None else f"{origin:#010x}"
        raise DeviceError(
            f"Image {elf} begins at {program.origin:#010x}; the flash of {device.name} begins at "
            f"{expected}."
        )
    return to_binary(program)


def _record(offset: int, kind: int, data: bytes) -> str:
    body = struct.pack(">BHB", len(data), offset, kind) + data
    return f":{body.hex().upper()}{-sum(body) & 0xFF:02X}"


def _base_records(at: int, before: int) -> list[str]:
    if at < 1 << 20:
        return [_record(0, 2, struct.pack(">H", (at & 0xF0000) >> 4))]
    # Some readers add a segment that was told to the upper half: it is taken back.
    is_segment = 0 < before < 1 << 20
    return [_record(0, 2, b"\0\0")] * is_segment + [_record(0, 4, struct.pack(">H", at >> 16))]


def _start_record(entry: int) -> str:
    if entry < 1 << 20:
        return _record(0, 3, struct.pack(">HH", (entry & 0xF0000) >> 4, entry & 0xFFFF))
    return _record(0, 5, struct.pack(">I", entry))
