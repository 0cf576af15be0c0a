"""Boards that LabWired simulates, as programs behind pipes: bytes, resets, power, faults."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rnn_edge.errors import LinkError
from rnn_edge.links.process import ProcessStream
from rnn_edge.runners.labwired_board import (
    FAULT,
    LONGEST_SLICE_S,
    REFUSED,
    SHORTEST_SLICE_S,
    SLICE_S,
    Line,
    Pace,
)

SOURCE = Path(__file__).with_name("echo_board.c")
CHIPS = {
    "stm32f401": ("STM32F401", "cortex-m4", 0x0800_0000, "uart2", 38),
    "nrf52840": ("NRF52840", "cortex-m4", 0x0000_0000, None, 2),
    "rp2040": ("RP2040", "cortex-m0plus", 0x1000_0100, "uart0", 20),
}
SCRIPT = """
ENTRY(begin)
SECTIONS {{
    .text {origin:#x} : {{ KEEP(*(.vectors)) *(.text*) *(.rodata*) }}
    .bss 0x20001000 (NOLOAD) : {{ *(.bss*) }}
    stack_top = 0x20004000;
}}
"""
needs_labwired = pytest.mark.skipif(
    importlib.util.find_spec("labwired") is None, reason="labwired is not installed"
)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A function that compiles the echo for a chip."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    folder = tmp_path_factory.mktemp("echo")

    def compiled(chip, by_interrupt=False):
        macro, cpu, origin, _, _ = CHIPS[chip]
        out = folder / f"{chip}-{by_interrupt}.elf"
        if not out.exists():
            script = folder / f"{chip}.ld"
            script.write_text(SCRIPT.format(origin=origin))
            extra = ["-DBY_INTERRUPT"] if by_interrupt else []
            subprocess.run(
                [
                    *(compiler, f"-mcpu={cpu}", "-mthumb", "-O1", "-ffreestanding", "-nostdlib"),
                    *("-std=gnu11", "-Wall", "-Wextra", "-Werror", f"-D{macro}", *extra),
                    *("-T", str(script), str(SOURCE), "-o", str(out)),
                ],
                check=True,
            )
        return out

    return compiled


def command(image, chip, *more):
    uart = CHIPS[chip][3]
    program = [sys.executable, "-m", "rnn_edge.runners.labwired_board", str(image), chip]
    return [*program, *([uart] if uart else []), *map(str, more)]


@pytest.fixture
def start():
    """A function that switches a board on; all are switched off."""
    streams = []

    def opened(*arguments):
        streams.append(ProcessStream(command(*arguments), "Board"))
        assert exactly(streams[-1], 2) == b"S0"
        return streams[-1]

    yield opened
    for stream in streams:
        stream.close()


def exactly(stream, count, timeout_s=60.0):
    found, deadline = b"", time.monotonic() + timeout_s
    while len(found) < count and time.monotonic() < deadline:
        found += stream.read(0.5)
    return found


@needs_labwired
@pytest.mark.parametrize("by_interrupt", [False, True], ids=["asking", "interrupt"])
@pytest.mark.parametrize("chip", CHIPS)
def test_every_byte_comes_back(start, image, chip, by_interrupt):
    raised = ["--interrupt", CHIPS[chip][4]] if by_interrupt else []
    board = start(image(chip, by_interrupt), chip, *raised)
    sent = bytes(byte for byte in range(256) if byte not in b"RFPG")
    for _ in range(4):
        board.write(sent, 5)
        assert exactly(board, len(sent)) == sent


@needs_labwired
@pytest.mark.parametrize("chip", CHIPS)
def test_a_program_restarts_its_chip_and_ram_is_kept(start, image, chip):
    board = start(image(chip), chip)
    for restarts in b"123":
        board.write(b"R", 5)
        assert exactly(board, 2) == bytes([ord("S"), restarts])
    board.write(b"x", 5)
    assert exactly(board, 1) == b"x"


@needs_labwired
def test_the_reset_button_restarts_the_chip(start, image):
    board = start(image("stm32f401"), "stm32f401")
    board.write(b"R", 5)
    assert exactly(board, 2) == b"S1"
    os.kill(board.pid, signal.SIGUSR1)
    assert exactly(board, 2) == b"S1"


@needs_labwired
@pytest.mark.parametrize("how", ["end of input", signal.SIGTERM, signal.SIGINT])
def test_the_power_is_switched_off(image, how):
    process = subprocess.Popen(
        command(image("rp2040"), "rp2040"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.read(2) == b"S0"
    if how == "end of input":
        process.stdin.close()
    else:
        process.send_signal(how)
    assert process.wait(60) == 0
    assert process.stdout.read() == b""
    assert process.stderr.read() == b""
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


@needs_labwired
def test_the_power_goes_while_nobody_takes_what_the_board_sends(image):
    process = subprocess.Popen(
        command(image("rp2040"), "rp2040"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.read(2) == b"S0"
    os.set_blocking(process.stdin.fileno(), False)
    deadline, refused = time.monotonic() + 30, 0
    while refused < 20 and time.monotonic() < deadline:
        try:
            os.write(process.stdin.fileno(), bytes(4096))
            refused = 0
        except BlockingIOError:
            refused += 1
            time.sleep(0.02)
    assert refused == 20
    process.terminate()
    assert process.wait(60) == 0
    process.stdin.close()
    process.stdout.close()


@needs_labwired
@pytest.mark.parametrize("chip", CHIPS)
def test_a_processor_that_stops_is_told_in_one_line(image, chip):
    process = subprocess.Popen(
        command(image(chip), chip),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdin.write("F")
    process.stdin.flush()
    try:
        code = process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        pytest.fail("the board went on")
    finally:
        told = process.stderr.read()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
    assert code == FAULT
    assert told.startswith(f"The simulated {chip} stopped after ")
    assert "Memory access violation at 0x" in told
    assert len(told.splitlines()) == 1


@needs_labwired
def test_a_processor_that_stops_ends_the_stream_with_its_words(start, image):
    board = start(image("stm32f401"), "stm32f401")
    board.write(b"F", 5)
    with pytest.raises(LinkError, match="has ended with exit code 101: The simulated stm32f401"):
        exactly(board, 1)


@needs_labwired
@pytest.mark.parametrize(
    ("chip", "change", "expected"),
    [
        ("rp2040", {"chip": "rp9999"}, "unknown packaged chip"),
        ("rp2040", {"image": "none.elf"}, "No such file or directory"),
        ("rp2040", {"image": __file__}, "Loader Error"),
        ("rp2040", {"uart": "uart9"}, "uart9"),
    ],
)
def test_what_cannot_be_simulated_is_refused(image, chip, change, expected):
    words = command(change.get("image", image(chip)), chip)
    words[4] = change.get("chip", words[4])
    words[5] = change.get("uart", words[5])
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, input="")
    assert done.returncode == REFUSED
    assert done.stdout == ""
    assert done.stderr.startswith("LabWired refuses ")
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@needs_labwired
def test_flash_outlives_the_power(start, image, tmp_path):
    keep = ("--keep", tmp_path / "flash", "0xF0000", "0x1000")
    board = start(image("nrf52840"), "nrf52840", *keep)
    board.write(b"G", 5)
    assert exactly(board, 1) == b"\xff"
    board.write(b"PG", 5)
    assert exactly(board, 1) == b"\x42"
    board.close()
    kept = (tmp_path / "flash").read_bytes()
    assert kept == b"\x42" + b"\xff" * 0xFFF
    assert [path.name for path in tmp_path.iterdir()] == ["flash"]
    again = start(image("nrf52840"), "nrf52840", *keep)
    again.write(b"G", 5)
    assert exactly(again, 1) == b"\x42"
    without = start(image("nrf52840"), "nrf52840")
    without.write(b"G", 5)
    assert exactly(without, 1) == b"\xff"


@needs_labwired
@pytest.mark.parametrize("how", [signal.SIGTERM, "fault"])
def test_flash_is_kept_where_the_power_is_cut_or_the_processor_stops(start, image, tmp_path, how):
    keep = ("--keep", tmp_path / "flash", "0xF0000", "0x1000")
    board = start(image("nrf52840"), "nrf52840", *keep)
    board.write(b"PG", 5)
    assert exactly(board, 1) == b"\x42"
    if how == "fault":
        board.write(b"F", 5)
    else:
        os.kill(board.pid, how)
    with pytest.raises(LinkError):
        exactly(board, 1)
    assert (tmp_path / "flash").read_bytes()[:1] == b"\x42"


@needs_labwired
def test_memory_of_another_size_is_refused(image, tmp_path):
    (tmp_path / "flash").write_bytes(bytes(8))
    words = command(image("nrf52840"), "nrf52840", "--keep", tmp_path / "flash", "0xF0000", "4096")
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, input="")
    assert done.returncode == REFUSED
    assert "8 bytes; expected 4,096" in done.stderr
    assert (tmp_path / "flash").read_bytes() == bytes(8)


@needs_labwired
def test_a_slow_line_takes_its_virtual_time(start, image):
    """At 1,200 baud a byte takes 8.3 ms of virtual time, and longer than that here."""
    board = start(image("stm32f401"), "stm32f401", "--baud", "1200")
    begun = time.monotonic()
    board.write(b"12345", 5)
    assert exactly(board, 5) == b"12345"
    assert time.monotonic() - begun > 5 * 10 / 1200


def test_a_line_hands_over_what_arrives_in_the_time():
    line = Line(1000)
    line.put(bytes(range(100)))
    taken = [line.take(0.025) for _ in range(8)]
    # 2.5 bytes in each slice.
    assert [len(part) for part in taken] == [2, 3, 2, 3, 2, 3, 2, 3]
    assert b"".join(taken) == bytes(range(20))
    assert len(line) == 80
    assert len(line.take(10)) == 80
    # A line that rested does not send the faster for it.
    assert line.take(100) == b""
    line.put(b"abc")
    assert len(line.take(0.01)) <= 2
    fast = Line(None)
    fast.put(b"abc")
    assert fast.take(1e-9) == b"abc"
    assert fast.take(1) == b""


def test_slices_are_as_long_as_they_should_take():
    pace = Pace()
    for _ in range(60):
        # A simulator at a fortieth of the board's speed.
        pace.took(40 * pace.slice_s)
    assert pace.slice_s == pytest.approx(SLICE_S / 40)
    pace.took(100.0)
    assert pace.slice_s == pytest.approx(SLICE_S / 80)
    for _ in range(60):
        pace.took(0.0)
    assert pace.slice_s == LONGEST_SLICE_S
    for _ in range(60):
        pace.took(1000.0)
    assert pace.slice_s == SHORTEST_SLICE_S
