"""Files of boards: their parts compile without a warning, their places lie where they may."""

import struct

import pytest
from board_programs import (
    BOARDS,
    MODEL,
    PROGRAMS,
    image,
    program_image,
    with_board,
    with_warnings,
)
from c_models import WARNINGS, export, succeed, tool

from rnn_edge.errors import EngineError
from rnn_edge.firmware import baremetal
from rnn_edge.firmware.app_config import AppConfig, app_config_header
from rnn_edge.firmware.program import config_header
from rnn_edge.resources import data_folder

PARTS = data_folder("firmware_templates") / "baremetal" / "board"
KINDS = (
    "clock",
    "ticks",
    "idle",
    "led",
    "cause",
    "restart",
    "watchdog",
    "retained",
    "flash",
    "end",
)
SECTORS = [16 << 10] * 4 + [64 << 10] + [128 << 10] * 7
"""Bytes of an STM32F4's sectors.

Source: ST, RM0090, RM0368 and RM0390, "Flash module organization".
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
def test_an_image_of_a_board_compiles_without_a_warning(name, tmp_path):
    device = BOARDS[name]
    made = image(with_warnings(device), tmp_path)
    assert 9_000 < made.flash_bytes < 40_000
    assert made.ram_bytes < 16_000


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_has_one_part_of_each_kind(name):
    parts = BOARDS[name].board.parts
    for kind in KINDS:
        assert len([part for part in parts if part.startswith(f"{kind}_")]) == 1, kind
    transports = [part for part in parts if part.startswith(("uart_", "link_"))]
    assert len(transports) == 1
    assert len(set(parts)) == len(parts)


def test_no_part_is_left_over():
    used = {part for device in BOARDS.values() for part in device.board.parts}
    there = {path.stem for path in PARTS.glob("*.c")}
    assert there - used == {"begin", "link_semihosting"}


@pytest.mark.parametrize("name", BOARDS)
def test_places_for_states_are_the_end_of_the_flash_and_not_the_linkers(name):
    device = BOARDS[name]
    memory, numbers = device.memory, device.board.numbers
    if "flash_places" not in numbers:
        assert device.flash_bytes == memory.flash_bytes
        return
    size = numbers["flash_place_bytes"]
    assert numbers["flash_places"] + 2 * size == memory.flash_origin + memory.flash_bytes
    assert device.flash_bytes == memory.flash_bytes - 2 * size
    assert f"LENGTH = {device.flash_bytes}\n" in baremetal.memory_script(device)
    if "flash_sector" in numbers:
        first = numbers["flash_sector"]
        assert SECTORS[first : first + 2] == [size, size]
        assert memory.flash_origin + sum(SECTORS[:first]) == numbers["flash_places"]


STM32F4 = [name for name, d in BOARDS.items() if "clock_stm32f4" in d.board.parts]


@pytest.mark.parametrize("name", STM32F4)
def test_clocks_of_an_stm32f4_are_those_of_its_file(name):
    device = BOARDS[name]
    n = device.board.numbers
    vco = 2_000_000 * n["pll_multiplier"]
    # Datasheets, "Main PLL characteristics" and "General operating conditions".
    assert 100_000_000 <= vco <= 432_000_000
    assert vco // n["pll_divider"] == n["clock_hz"] == device.clock_hz
    assert n["hse_hz"] % 2_000_000 == 0
    assert vco / n["pll_q"] <= 48_000_000
    assert n["clock_hz"] // n["apb1_divider"] == n["uart_clock_hz"] <= device.clock_hz / 2
    assert (
        n["uart_clock_hz"]
        <= {84_000_000: 42, 168_000_000: 42, 180_000_000: 45}[device.clock_hz] * 1_000_000
    )
    # A wait state for each 30 MHz begun, from 2.7 V on.
    assert n["flash_wait_states"] == (n["clock_hz"] - 1) // 30_000_000
    rate = round(n["uart_clock_hz"] / n["uart_baud"])
    assert abs(n["uart_clock_hz"] / rate / n["uart_baud"] - 1) < 0.005


def test_clocks_of_the_h743_are_those_of_its_file():
    device = BOARDS["nucleo-h743zi"]
    n = device.board.numbers
    vco = 2_000_000 * n["pll_multiplier"]
    assert 192_000_000 <= vco <= 836_000_000
    assert vco // n["pll_divider"] == n["clock_hz"] == device.clock_hz
    assert n["hse_hz"] % 2_000_000 == 0
    # Buses have half of the processor's clock, of at most 400 MHz, and what hangs on them half.
    assert n["uart_clock_hz"] == n["clock_hz"] // 4 == 100_000_000


def test_clocks_of_the_pico_are_those_of_its_file():
    device = BOARDS["rpi-pico"]
    n = device.board.numbers
    vco = n["xosc_hz"] * n["pll_multiplier"]
    assert 750_000_000 <= vco <= 1_600_000_000
    assert vco // n["pll_divider_1"] // n["pll_divider_2"] == n["uart_clock_hz"] == device.clock_hz


def crc(data):
    """CRC-32, polynomial 04C11DB7h, from all ones, nothing reflected.

    Source: Raspberry Pi, "RP2040 Datasheet", 2.8.1.3.1 "Checksum".
    """
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


def test_the_boot_block_of_the_pico_has_its_checksum_and_begins_the_vectors(tmp_path):
    assert crc(b"123456789") == 0x0376E6E7
    made = image(BOARDS["rpi-pico"], tmp_path)
    succeed(tool("arm-none-eabi-objcopy"), "-O", "binary", made.path, tmp_path / "image.bin")
    data = (tmp_path / "image.bin").read_bytes()
    assert struct.unpack_from("<I", data, 252)[0] == crc(data[:252])
    assert struct.pack("<I", 0x10000100) in data[:252]
    stack, reset = struct.unpack_from("<2I", data, 256)
    assert 0x20000000 < stack <= 0x20000000 + BOARDS["rpi-pico"].memory.stack_bytes
    assert 0x10000100 < reset < 0x10000000 + len(data)
    assert reset & 1


def test_what_runs_while_the_flash_of_the_pico_is_busy_is_in_ram(tmp_path):
    device = BOARDS["rpi-pico"]
    path = program_image(device, "board_check.c", tmp_path, RNN_EDGE_TEST_TICKS_OF_A_MS="133000U")
    names = succeed(tool("arm-none-eabi-nm"), path).decode().splitlines()
    at = {line.split()[2]: int(line.split()[0], 16) for line in names}
    wanted = ("change", "exchange", "begin_command", "end_command", "wait_until_done")
    for name in wanted:
        assert at[name] >> 28 == 2, name
    start = at["rnn_edge_data_start"]
    dump = succeed(
        tool("arm-none-eabi-objdump"), "-d", "-j", ".data", f"--start-address={start}", path
    ).decode()
    targets = [line.split("\t")[-1].split()[0] for line in dump.splitlines() if "\tbl\t" in line]
    assert len(targets) >= 6
    assert all(int(target, 16) >> 28 == 2 for target in targets)


def test_an_unknown_part_is_refused_with_the_known_ones(tmp_path):
    wrong = with_board(BOARDS["qemu-m4"], {"led_mps2": "led_lamp"})
    with pytest.raises(EngineError, match=r"unknown part 'led_lamp'; known are .*led_mps2"):
        baremetal.recipe(wrong)
    bare = BOARDS["qemu-m4"].model_copy(update={"board": None})
    with pytest.raises(EngineError, match=r"without the table \[board\]"):
        baremetal.recipe(bare)


def test_the_receive_ring_keeps_the_window_of_a_host_and_counts_what_is_more(tmp_path):
    folder = export(MODEL, tmp_path)
    templates = PARTS.parents[1]
    (folder / "rnn_edge_config.h").write_text(config_header(MODEL))
    (folder / "rnn_edge_app_config.h").write_text(app_config_header(AppConfig()))
    shared = ("app", "link", "service", "device", "baremetal")
    include = [folder, *(templates / name for name in shared)]
    sources = [PROGRAMS / "ring_check.c", PARTS / "receive_ring.c"]
    flags = [*WARNINGS, "-O1", "-fsanitize=undefined,address", *(f"-I{path}" for path in include)]
    succeed(tool("gcc"), *flags, *sources, "-o", tmp_path / "ring")
    lost, room, lost_at_last = map(int, succeed(tmp_path / "ring").split())
    assert lost == 0
    # Eight frames of a stream, or one request with a payload of 512 bytes.
    assert 512 + 13 <= room < 600
    assert lost_at_last == 4096 - room + 3
