"""Images in the forms of flash tools: against objcopy, against readers of our own, and damaged."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnn_edge.errors import DeviceError, EnvironmentFailureError
from rnn_edge.firmware import image_formats
from rnn_edge.firmware.image_formats import (
    UF2_FAMILIES,
    Program,
    read_program,
    to_binary,
    to_intel_hex,
    to_uf2,
    uf2_family,
    write_image,
)
from rnn_edge.spec import all_devices

DEVICES = all_devices()
RP2040 = UF2_FAMILIES["rp2040"]
SOURCE = """
unsigned counter = 0x12345678;
unsigned zeros[16];
const char words[] = "a constant of an odd length.";
__attribute__((section(".vectors"), used)) const void *const vectors[] = {words, &counter};
__attribute__((section(".far"), used)) const char far[] = "at the end of flash";
void begin(void) { for (;;) { zeros[counter++ % 16]++; } }
"""
LINKED = """
ENTRY(begin)
SECTIONS {{
    .vectors {flash:#x} : {{ KEEP(*(.vectors)) }}
    .text {text:#x} : {{ *(.text*) }}
    .rodata : {{ *(.rodata*) }}
    .data 0x20000000 : AT(ADDR(.rodata) + SIZEOF(.rodata)) {{ *(.data*) }}
    .bss 0x20001000 (NOLOAD) : {{ *(.bss*) }}
    .far {far:#x} : {{ KEEP(*(.far)) }}
}}
"""


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """A function that links a program with constants, variables and gaps."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")

    def link(flash, text=0x40, far=0x400):
        folder = tmp_path_factory.mktemp("linked")
        (folder / "x.c").write_text(SOURCE)
        (folder / "x.ld").write_text(LINKED.format(flash=flash, text=flash + text, far=flash + far))
        out = folder / "x.elf"
        subprocess.run(
            [
                *(compiler, "-mcpu=cortex-m0", "-mthumb", "-O1", "-nostdlib", "-T"),
                *(str(folder / "x.ld"), str(folder / "x.c"), "-o", str(out)),
            ],
            check=True,
            capture_output=True,
        )
        return out

    return link


PLACES = [
    (0, 0x40, 0x400),
    (0x0800_0000, 0x40, 0x400),
    (0x0800_0000, 0xFF8, 0x12345),  # over the border of 64 KB
    (0xFFF0, 0x40, 0x400),  # over the first 64 KB
    (0x000F_FF00, 0x40, 0x400),  # over the first megabyte
    (0x1000_0100, 0x40, 0x400),
]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize(
    ("form", "convert"),
    [(("binary", "--gap-fill", "0xff"), to_binary), (("ihex",), to_intel_hex)],
    ids=["bin", "hex"],
)
def test_the_bytes_are_those_of_objcopy(linked, tmp_path, place, form, convert):
    elf = linked(*place)
    subprocess.run(
        ["arm-none-eabi-objcopy", "-O", *form, str(elf), str(tmp_path / "x")],
        check=True,
    )
    ours = convert(read_program(elf))
    assert ours == (tmp_path / "x").read_bytes()
    assert len(ours) > (0x400 if convert is to_binary else 300)


def test_initial_values_are_stored_after_the_constants(linked):
    program = read_program(linked(0x0800_0000))
    assert program.origin == 0x0800_0000
    binary = to_binary(program)
    assert struct.pack("<I", 0x12345678) in binary[:0x400]
    assert binary.endswith(b"at the end of flash\0")
    assert binary[0x300:0x400] == b"\xff" * 0x100
    assert all(at < 0x2000_0000 for at, _ in program.pieces)


# Readers of our own, written from the formats' descriptions and nothing of the writers.


def from_hex(text):
    memory, base, entry, ended = {}, 0, None, False
    for line in text.decode().split("\r\n")[:-1]:
        assert line[0] == ":"
        assert not ended
        record = bytes.fromhex(line[1:])
        assert sum(record) % 256 == 0
        count, at, kind = record[0], int.from_bytes(record[1:3], "big"), record[3]
        data = record[4:-1]
        assert len(data) == count
        if kind == 0:
            assert at + count <= 0x10000
            for k, byte in enumerate(data):
                assert base + at + k not in memory
                memory[base + at + k] = byte
        elif kind == 1:
            ended = True
        elif kind == 2:
            base = int.from_bytes(data, "big") << 4
        elif kind == 3:
            entry = (int.from_bytes(data[:2], "big") << 4) + int.from_bytes(data[2:], "big")
        elif kind == 4:
            base = int.from_bytes(data, "big") << 16
        elif kind == 5:
            entry = int.from_bytes(data, "big")
        else:
            pytest.fail(f"record {kind}")
    assert ended
    return memory, entry


def from_uf2(content, family):
    assert len(content) % 512 == 0
    memory, count = {}, len(content) // 512
    for k in range(count):
        block = content[512 * k : 512 * k + 512]
        first, second, flags, at, size, number, total, of = struct.unpack_from("<8I", block)
        assert (first, second) == (0x0A324655, 0x9E5D5157)
        assert block[508:] == (0x0AB16F30).to_bytes(4, "little")
        assert (flags, size, number, total, of) == (0x2000, 256, k, count, family)
        assert at % 256 == 0
        assert block[32 + size : 508] == bytes(476 - size)
        for offset in range(size):
            assert at + offset not in memory
            memory[at + offset] = block[32 + offset]
    return memory


def bytes_of(program):
    return {at + k: byte for at, data in program.pieces for k, byte in enumerate(data)}


@st.composite
def programs(draw):
    at = draw(st.sampled_from([0, 0xFF00, 0xF_FF80, 0x0800_0000, 0x1000_00F0, 0xFFFE_0000]))
    pieces = []
    for _ in range(draw(st.integers(1, 4))):
        at += draw(st.integers(0, 700))
        data = draw(st.binary(min_size=1, max_size=600))
        pieces.append((at, data))
        at += len(data)
    return Program(tuple(pieces), draw(st.integers(0, 0xFFFF_FFFF)))


@settings(max_examples=60, deadline=None)
@given(programs())
@example(Program(((0xFFFF, b"ab"),), 0xF_FFFF))
def test_what_is_written_is_read_back(program):
    expected = bytes_of(program)
    memory, entry = from_hex(to_intel_hex(program))
    assert (memory, entry) == (expected, program.entry)
    binary = to_binary(program)
    assert len(binary) == program.end - program.origin
    filled = dict(enumerate(binary, start=program.origin))
    assert {at: byte for at, byte in filled.items() if byte != 0xFF} == {
        at: byte for at, byte in expected.items() if byte != 0xFF
    }
    pages = from_uf2(to_uf2(program, RP2040), RP2040)
    assert {at: pages[at] for at in expected} == expected
    assert all(byte == 0xFF for at, byte in pages.items() if at not in expected)
    assert {at - at % 256 for at in pages} == {at - at % 256 for at in expected}


def test_the_first_block_of_uf2_is_this():
    block = to_uf2(Program(((0x1000_0000, b"\x01\x02\x03"),), 0x1000_0000), RP2040)
    assert len(block) == 512
    assert block[:32].hex() == (
        "5546320a" "57515d9e" "00200000" "00000010" "00010000" "00000000" "01000000" "56ff8be4"
    )  # fmt: skip
    assert block[32:36] == b"\x01\x02\x03\xff"


# Files that are none, or damaged.


def test_no_prefix_of_a_program_is_taken_for_one(linked, tmp_path):
    content = linked(0x0800_0000).read_bytes()
    whole = read_program(linked(0x0800_0000))
    file = tmp_path / "cut.elf"
    for length in [*range(0, 200), *range(200, len(content), 97), len(content) - 1]:
        file.write_bytes(content[:length])
        with pytest.raises(DeviceError):
            read_program(file)
    assert whole.pieces


def test_a_damaged_head_is_refused_or_read(linked):
    elf = linked(0x0800_0000)
    content, damaged = elf.read_bytes(), elf.with_name("damaged.elf")
    refused = 0
    for position in range(52):
        for value in (0, 1, 0x7F, 0xFF):
            damaged.write_bytes(content[:position] + bytes([value]) + content[position + 1 :])
            try:
                assert read_program(damaged).pieces
            except DeviceError:
                refused += 1
    assert refused > 20


def test_what_is_no_program_is_refused(tmp_path, linked):
    file = tmp_path / "x.elf"
    file.write_bytes(b"no program at all, but more than a few bytes of text" * 4)
    with pytest.raises(DeviceError, match="is no ELF file, or is damaged"):
        read_program(file)
    with pytest.raises(EnvironmentFailureError, match="cannot be read: No such file"):
        read_program(tmp_path / "none.elf")
    wide = bytearray(linked(0).read_bytes())
    wide[5] = 2
    file.write_bytes(wide)
    with pytest.raises(DeviceError):
        read_program(file)


def test_an_object_file_puts_nothing_into_memory(tmp_path):
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    (tmp_path / "x.c").write_text("int x = 1;\n")
    subprocess.run(
        [compiler, "-mcpu=cortex-m0", "-c", str(tmp_path / "x.c"), "-o", str(tmp_path / "x.o")],
        check=True,
    )
    with pytest.raises(DeviceError, match="puts nothing into memory"):
        read_program(tmp_path / "x.o")


def test_a_program_of_another_machine_is_refused():
    host = shutil.which("true")
    with pytest.raises(DeviceError, match="not of a 32-bit processor"):
        read_program(Path(host).resolve())


def test_a_program_that_spans_half_the_addresses_is_refused(linked):
    with pytest.raises(DeviceError, match=r"spans \d+,\d+,\d+ bytes from 0x08000000; expected at"):
        read_program(linked(0x0800_0000, far=0x2000_0000))


def test_sections_over_one_another_are_refused(linked, monkeypatch):
    elf = linked(0x0800_0000)
    sections = image_formats.elf_sections(elf)
    monkeypatch.setattr(image_formats, "elf_sections", lambda file: (*sections, sections[1]))
    with pytest.raises(DeviceError, match="is stored over another one"):
        read_program(elf)


# Files beside the ELF file.


@pytest.mark.parametrize("kind", ["bin", "hex", "uf2"])
def test_an_image_is_written_beside_the_program(linked, kind):
    elf = linked(0x1000_0000)
    device = DEVICES["rpi-pico"]
    out = write_image(elf, kind, device)
    assert out == elf.with_suffix(f".{kind}")
    program = read_program(elf)
    expected = {
        "bin": to_binary(program),
        "hex": to_intel_hex(program),
        "uf2": to_uf2(program, RP2040),
    }
    first = out.read_bytes()
    assert first == expected[kind]
    write_image(elf, kind, device)
    assert out.read_bytes() == first
    assert sorted(path.suffix for path in elf.parent.iterdir()) == sorted(
        [".c", ".elf", ".ld", f".{kind}"]
    )


def test_the_elf_file_is_there_already(linked):
    elf = linked(0)
    assert write_image(elf, "elf", DEVICES["nrf52840-dk"]) == elf


def test_a_form_that_is_none_is_refused(linked):
    with pytest.raises(DeviceError, match="Image form 'project'; expected elf, bin, hex, uf2"):
        write_image(linked(0), "project", DEVICES["nrf52840-dk"])


def test_a_binary_begins_where_flash_does(linked):
    elf = linked(0x0800_4000)
    with pytest.raises(DeviceError, match=r"begins at 0x08004000; .* begins at 0x08000000"):
        write_image(elf, "bin", DEVICES["nucleo-f401re"])
    with pytest.raises(DeviceError, match="begins at none"):
        write_image(elf, "bin", DEVICES["rpi-4"])


def test_a_folder_that_cannot_be_written_is_told(linked):
    elf = linked(0x0800_0000)
    elf.with_suffix(".bin").mkdir()
    with pytest.raises(EnvironmentFailureError, match="cannot be written"):
        write_image(elf, "bin", DEVICES["nucleo-f401re"])
    assert not [path for path in elf.parent.iterdir() if path.name.startswith("tmp")]


def test_the_family_is_that_of_the_device_file():
    assert uf2_family(DEVICES["rpi-pico"]) == 0xE48BFF56
    with pytest.raises(DeviceError, match=r"options\.uf2: family = ''; expected rp2040, "):
        uf2_family(DEVICES["nucleo-f401re"])
