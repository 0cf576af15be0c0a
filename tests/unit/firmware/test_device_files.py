"""Files of devices: what is refused, with which words, and that a file is all a device takes."""

import pytest

from rnn_edge.engines import device
from rnn_edge.engines.base import all_engines
from rnn_edge.errors import SpecError
from rnn_edge.firmware.baremetal import does_not_fit, memory_script
from rnn_edge.spec import all_devices
from rnn_edge.spec import device as device_files

DEVICES = all_devices()
GOOD = """
title = "A board"
cpu = "cortex-m4"
source = "https://example.org/board"
verified = ["emulator"]

[memory]
flash_origin = 0x08000000
flash_bytes = 65536
ram_origin = 0x20000000
ram_bytes = 8192
stack_bytes = 1024

[build]
compiler = "arm-none-eabi-gcc"
startup = "cortex_m"
flags = ["-mcpu=cortex-m4", "-mthumb"]

[emulator]
program = "qemu-system-arm"
arguments = ["-M", "mps2-an386"]
instructions_per_tick = 40.0
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my-board.toml").write_text(GOOD)
    return tmp_path


def test_shipped_devices_are_those_of_the_documentation():
    assert list(DEVICES) == [
        "qemu-m0", "qemu-m3", "qemu-m33", "qemu-m4", "qemu-m55", "qemu-m7", "qemu-rv32",
    ]  # fmt: skip
    for found in DEVICES.values():
        # The slow tests run every one of them under its emulator; none was held in a hand.
        assert found.verified == ("emulator",)
        assert found.source.startswith("https://")
        assert found.title in (
            device_files.data_folder("devices") / "README.md"
        ).read_text().replace("\n", " ")


def test_a_file_is_all_that_a_new_device_takes(folder, monkeypatch):
    monkeypatch.setattr(device_files, "data_folder", lambda name: folder)
    kinds = all_engines()
    assert [name for name in kinds if name.startswith("device:")] == ["device:my-board"]
    kind = kinds["device:my-board"]
    assert kind.is_integer
    assert kind.is_emulated
    assert kind.exporter == "c"
    assert "A board" in kind.summary


def test_a_damaged_file_is_named(folder, monkeypatch):
    (folder / "bad.toml").write_text("title = ")
    monkeypatch.setattr(device_files, "data_folder", lambda name: folder)
    with pytest.raises(SpecError, match=r"bad\.toml is not TOML"):
        all_engines()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ram_bytes = 8192", 'ram_bytes = "8K"', r"memory\.ram_bytes = .*8K.*; expected a whole"),
        ("ram_bytes = 8192", "ram_bytes = 512", r"expected a whole number from 1024"),
        ("ram_bytes = 8192", "", r"memory\.ram_bytes is missing"),
        ("stack_bytes = 1024", "stack_bytes = 8192", "stack_bytes = 8192; expected less than"),
        ("0x20000000", "0x08001000", "flash at 0x8000000 and RAM at 0x8001000 overlap"),
        ("0x20000000", "0x20000010", "ram_origin = 0x20000010; expected a multiple of 1024"),
        ("0x20000000", "0xFFFFFC00", "reach beyond 2\\^32"),
        ("cortex_m", "cortex_a", r'build\.startup = "cortex_a"; expected "cortex_m" or "riscv"'),
        ("arm-none-eabi-gcc", "icc", r'expected "arm-none-eabi-gcc" or'),
        ("qemu-system-arm", "renode", r'expected "qemu-system-arm" or'),
        ('["emulator"]', '["luck"]', r"verified"),
        ('title = "A board"', 'title = ""', "title"),
        ('title = "A board"', 'title = "A board"\nclock = 1', "clock = 1; unknown key"),
        ('title = "A board"', 'title = "A board"\nname = "x"', "expected no such key"),
        ("40.0", "0.5", "expected a number from 1"),
        ('["-M", "mps2-an386"]', "[]", "arguments"),
    ],
)
def test_mistakes_are_named_with_file_key_and_value(folder, old, new, message):
    file = folder / "my-board.toml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(SpecError, match=message) as caught:
        all_devices(folder)
    assert str(file) in caught.value.message


@pytest.mark.parametrize("name", ["My-board", "my_board", "-x", "1board"])
def test_a_name_that_no_command_line_takes_is_refused(folder, name):
    (folder / f"{name}.toml").write_text(GOOD)
    with pytest.raises(SpecError, match="small letters"):
        all_devices(folder)


def test_memory_script_holds_the_numbers_of_the_file(folder):
    text = memory_script(all_devices(folder)["my-board"])
    assert "FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 65536" in text
    assert "RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 8192" in text
    assert "rnn_edge_stack_bytes = 1024;" in text


def test_what_a_linker_says_becomes_the_numbers_needed(folder):
    class Model:
        name = "big"

    board = all_devices(folder)["my-board"]
    output = (
        "ld: a.elf section `.rodata' will not fit in region `FLASH'\n"
        "ld: region `FLASH' overflowed by 1000 bytes\n"
        "ld: region `RAM' overflowed by 24 bytes\n"
    )
    error = does_not_fit(board, Model, output)
    assert error.message == (
        "Model big needs 66,536 bytes of flash; my-board has 65,536, "
        "and 8,216 bytes of RAM; my-board has 8,192."
    )
    assert "hidden" in error.hint
    assert does_not_fit(board, Model, "error: something else") is None


def test_the_command_of_an_emulator(folder):
    board = all_devices(folder)["my-board"]
    assert device.command(board, "/usr/bin/qemu-system-arm", folder / "a.elf") == [
        "/usr/bin/qemu-system-arm", "-M", "mps2-an386",
        "-display", "none", "-monitor", "none", "-serial", "none", "-parallel", "none",
        "-semihosting-config", "enable=on,target=native",
        "-kernel", str(folder / "a.elf"),
    ]  # fmt: skip
