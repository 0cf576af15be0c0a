"""Files of devices: what is refused, with which words, and that a file is all a device takes."""

import re
from pathlib import Path

import pytest

from rnn_edge.engines.base import all_engines, engines_here
from rnn_edge.errors import SpecError
from rnn_edge.firmware.baremetal import does_not_fit, memory_script
from rnn_edge.resources import data_folder
from rnn_edge.runners.base import all_runners
from rnn_edge.spec import all_devices, device_parts, find_device
from rnn_edge.spec import device as device_files

DEVICES = all_devices()
GOOD = """
title = "A board"
cpu = "cortex-m4"
isa = "armv7e-m"
template = "baremetal"
links = ["semihosting"]
verified = ["emulator"]

[[sources]]
of = ["processor", "memory", "emulator"]
document = "The board's manual"
url = "https://example.org/board"

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

LINUX = (
    GOOD[GOOD.index("template") :],
    """template = "linux"
links = ["ssh"]
verified = []

[[sources]]
of = ["processor", "memory"]
document = "A manual"

[system]
ram_bytes = 1048576
""",
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my-board.toml").write_text(GOOD)
    return tmp_path


def only_devices_in(folder, monkeypatch):
    def where(name):
        return folder if name == "devices" else data_folder(name)

    monkeypatch.setattr(device_files, "data_folder", where)


def test_every_shipped_device_is_listed():
    assert list(DEVICES) == [
        "arduino-nano-33-ble", "esp32-c3-devkit", "esp32-s3-devkit", "host", "nrf52840-dk",
        "nucleo-f401re", "nucleo-f446re", "nucleo-h743zi", "qemu-m0", "qemu-m3", "qemu-m33",
        "qemu-m4", "qemu-m55", "qemu-m7", "qemu-rv32", "rpi-3", "rpi-4", "rpi-5", "rpi-pico",
        "rpi-pico-2", "rpi-zero-2-w", "rpi-zero-w", "stm32f4-discovery", "teensy-4.1",
    ]  # fmt: skip


def test_the_file_of_the_documentation_is_one(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "devices.md").read_text()
    (text,) = re.findall(r"<!-- file: my-board.toml -->\n```toml\n(.*?)```", page, re.S)
    (tmp_path / "my-board.toml").write_text(text)
    found = all_devices(tmp_path)["my-board"]
    # One source is enough for an example.
    left_out = {"name", "sources"}
    assert found.model_dump(exclude=left_out) == DEVICES["qemu-m4"].model_dump(exclude=left_out)
    assert found.sources[0] in DEVICES["qemu-m4"].sources
    # Every key that a file may have is told.
    keys = {*found.__class__.model_fields, *device_parts.MemorySection.model_fields} - {"name"}
    assert [
        key
        for key in keys
        if f"`{key}`" not in page
        and f"{key} =" not in page
        and f"[{key}]" not in page
        and f".{key}]" not in page
    ] == []


def test_the_table_of_the_folder_has_a_row_for_each():
    text = (data_folder("devices") / "README.md").read_text()
    rows = [
        f"| `{name}` | {d.title} | {d.cpu} | {d.template or '-'} | {', '.join(d.verified) or '-'} |"
        for name, d in DEVICES.items()
    ]
    assert [line for line in text.splitlines() if line.startswith("| `")] == rows


def test_every_device_is_an_engine_and_only_imitated_ones_are_here():
    kinds = all_engines()
    imitated = [name for name, kind in engines_here().items() if ":" in name]
    assert imitated == [
        *(f"device:qemu-{core}" for core in ("m0", "m3", "m33", "m4", "m55", "m7", "rv32")),
        *(f"simulated:{name}" for name, device in DEVICES.items() if device.simulator),
    ]
    assert all(kinds[name].is_emulated for name in imitated)
    boards = [name for name, kind in kinds.items() if kind.needs_port]
    assert boards == sorted(f"device:{n}" for n, d in DEVICES.items() if d.emulator is None)


def test_nothing_is_said_to_be_verified_that_was_not():
    # The slow tests run every one that is emulated or simulated, and the C on this host; no board
    # was held in a hand.
    for name, found in DEVICES.items():
        is_imitated = found.emulator is not None or found.simulator is not None
        wanted = ("hardware",) if name == "host" else ("emulator",) if is_imitated else ()
        assert found.verified == wanted, name


def test_no_two_devices_are_called_the_same():
    titles = [found.title for found in DEVICES.values()]
    assert len(set(titles)) == len(titles)
    known = [(found.title, usb.id) for found in DEVICES.values() for usb in found.usb]
    assert len(set(known)) == len(known)
    chips = [found.probe_target for found in DEVICES.values() if found.probe_target]
    assert len(set(chips)) == len(chips)


@pytest.mark.parametrize("name", DEVICES)
def test_sizes_of_a_device_are_of_its_kind(name):
    found = DEVICES[name]
    if found.memory is None:
        assert found.flash_bytes is None
        assert (found.ram_bytes is None) == (name == "host")
        return
    assert found.ram_bytes == found.memory.ram_bytes
    assert found.flash_bytes % 1024 == 0
    assert found.ram_bytes % 1024 == 0
    assert found.memory.stack_bytes * 4 <= found.ram_bytes
    if found.emulator is None:
        assert 96 * 1024 <= found.ram_bytes <= 1024 * 1024 <= 4 * found.flash_bytes
        assert 64_000_000 <= found.clock_hz <= 600_000_000
        assert found.usb


@pytest.mark.parametrize("name", DEVICES)
def test_sources_are_documents_that_can_be_found(name):
    sources = DEVICES[name].sources
    documents = [source.document for source in sources]
    assert len(set(documents)) == len(documents)
    # A manual without an address has its number; the host is its own source.
    assert all(source.url or name == "host" or ", IMX" in source.document for source in sources)


def test_runners_of_devices_are_registered():
    named = {runner for found in DEVICES.values() for runner in found.runners}
    assert named <= set(all_runners())


def test_instructions_are_counted_where_the_same_ones_run():
    counted = {name: d.counted_on for name, d in DEVICES.items() if d.counted_on is not None}
    assert {counted[name] for name in ("nucleo-f401re", "nrf52840-dk")} == {"qemu-m4"}
    assert counted["esp32-c3-devkit"] == "qemu-rv32"
    assert "esp32-s3-devkit" not in counted
    for name, other in counted.items():
        same = DEVICES[other].build.flags == DEVICES[name].build.flags
        assert same or name in ("rpi-pico", "esp32-c3-devkit"), name


def test_a_file_is_all_that_a_new_device_takes(folder, monkeypatch):
    only_devices_in(folder, monkeypatch)
    kinds = all_engines()
    assert [name for name in kinds if name.startswith("device:")] == ["device:my-board"]
    kind = kinds["device:my-board"]
    assert kind.is_integer
    assert kind.is_emulated
    assert kind.exporter == "c"
    assert "A board" in kind.summary


def test_a_damaged_file_is_named(folder, monkeypatch):
    (folder / "bad.toml").write_text("title = ")
    only_devices_in(folder, monkeypatch)
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
        ("arm-none-eabi-gcc", "icc", r'expected "arm-none-eabi-gcc", "riscv64'),
        ("qemu-system-arm", "renode", r'expected "qemu-system-arm" or'),
        ('["emulator"]', '["luck"]', r"verified"),
        ('title = "A board"', 'title = ""', "title"),
        ('title = "A board"', 'title = "A board"\nclock = 1', "clock = 1; unknown key"),
        ('title = "A board"', 'title = "A board"\nname = "x"', "expected no such key"),
        ("40.0", "0.5", "expected a number from 1"),
        ('["-M", "mps2-an386"]', "[]", "arguments"),
        ('isa = "armv7e-m"', 'isa = "z80"', r'isa = "z80"; expected "armv6-m", '),
        (
            'template = "baremetal"',
            'template = "forth"',
            r'template = "forth"; expected .*"baremetal"',
        ),
        ('template = "baremetal"', 'template = "linux"', "belong together"),
        ('template = "baremetal"', "", "belong together"),
        (LINUX[0], LINUX[1], 'template = "linux" without the table'),
        ('startup = "cortex_m"', "", "belong together"),
        ('links = ["semihosting"]', "links = []", "links = .*at least 1"),
        ('"memory", "emulator"]', '"emulator"]', "sources: memory has no source"),
        ('"emulator"]\ndoc', '"emulator", "usb"]\ndoc', "usb has a source but is not in"),
        ('"processor", ', '"colour", ', r'sources\[0\]\.of\[0\] = "colour"; expected "processor"'),
        (
            'document = "The board\'s manual"',
            "",
            r"sources\[0\]\.document is missing; expected text",
        ),
        ("https://example.org", "example.org", "expected an address that begins with https://"),
        (
            "[memory]\nflash",
            '[[usb]]\nid = "483:374B"\ntitle = "x"\n\n[memory]\nflash',
            "hexadecimal",
        ),
        ("stack_bytes = 1024", "stack_bytes = 1024\n[system]\nram_bytes = 4194304", "one of the"),
        (
            "stack_bytes = 1024",
            'stack_bytes = 1024\n[[memory.more]]\nname = "CCM"\norigin = 0x20001000\nbytes = 1024',
            "RAM at 0x20000000 and CCM at 0x20001000 overlap",
        ),
        ("isa =", 'counted_on = "my-board"\nisa =', "counted_on without clock_hz"),
        (
            "[memory]",
            '[options.west]\nboard = "x"\n\n[memory]',
            "options.west; expected of its runners none",
        ),
        (
            "isa =",
            'runners = ["west"]\noptions = {west = {board = "x"}}\nisa =',
            "options has no source",
        ),
        (
            "isa =",
            'clock_hz = 8000000\ncounted_on = "other"\nisa =',
            "clock has no source",
        ),
    ],
)
def test_mistakes_are_named_with_file_key_and_value(folder, old, new, message):
    file = folder / "my-board.toml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(SpecError, match=message) as caught:
        all_devices(folder)
    assert str(file) in caught.value.message


@pytest.mark.parametrize("counter", ["nowhere", "mute"])
def test_counting_on_what_cannot_count_is_refused(folder, counter):
    clocked = GOOD.replace("isa =", "clock_hz = 8000000\nisa =").replace(
        '"memory", ', '"memory", "clock", '
    )
    mute = clocked[: clocked.index("[emulator]")].replace(', "emulator"]', "]")
    mute = mute.replace('verified = ["emulator"]', "verified = []")
    (folder / "mute.toml").write_text(mute)
    (folder / "counting.toml").write_text(
        clocked.replace("isa =", f'counted_on = "{counter}"\nisa =')
    )
    with pytest.raises(
        SpecError, match=f'counted_on = "{counter}"; .* of armv7e-m: counting, my-board'
    ):
        all_devices(folder)
    (folder / "counting.toml").write_text(
        clocked.replace("isa =", 'counted_on = "my-board"\nisa =')
    )
    assert all_devices(folder)["counting"].counted_on == "my-board"


def test_an_unknown_device_lists_the_known_ones():
    with pytest.raises(
        SpecError, match=r"Unknown device: 'qemu-m9'; known are arduino-nano.*teensy"
    ):
        find_device("qemu-m9")
    assert find_device("qemu-m4") == DEVICES["qemu-m4"]


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
