"""Clocks, LEDs, watchdogs, causes of starts and memories of boards, used by a program of theirs."""

import pytest
from board_programs import (
    BOARDS,
    EMULATED,
    program_image,
    run_emulated,
    run_simulated,
    spoken,
    ticks_of_a_ms,
)

from rnn_edge.errors import MissingDependencyError
from rnn_edge.extras import require
from rnn_edge.links.application import Started
from rnn_edge.runners.base import Job, all_runners
from rnn_edge.runners.choice import resolved

pytestmark = pytest.mark.slow

WATCHED = [name for name, device in EMULATED.items() if "watchdog_none" not in device.board.parts]
RESTART = (0xE000ED0C, 0x05FA0004)
LEDS = {
    # Output registers, of GPIO ports A and 0 and of the SIO; the bit; whether it is on while low.
    "nucleo-f401re": (0x40020014, 1 << 5, False),
    "nrf52840-dk": (0x50000504, 1 << 13, True),
    "rpi-pico": (0xD0000010, 1 << 25, False),
}
CLOCKED = {
    # A register, the bits that count, and what they are once the clock is what the file says.
    "nucleo-f401re": [(0x40023808, 0xC, 0x8), (0x40023C00, 0x70F, 0x702)],
    "nrf52840-dk": [(0x40000100, 1, 1)],
    "rpi-pico": [(0x4000803C, 1, 1), (0x40028008, 0xFFF, 133), (0x4005802C, 0x3FF, 0x20C)],
}
WATCHDOG_SET_UP = {
    # 40 ms of 47 kHz, divided by 4; of 32,768 Hz and 5 % more; and a run flag or what is restarted.
    "nucleo-f401re": [(0x40003004, 7, 0), (0x40003008, 0xFFF, 471)],
    "nrf52840-dk": [(0x40010400, 1, 1), (0x40010504, 0xFFFF, 1391)],
    "rpi-pico": [(0x40058000, 1 << 30, 1 << 30), (0x40010008, 0x1FFFF, 0x1FFFC)],
}


@pytest.fixture(scope="module", params=list(EMULATED))
def emulated(request, tmp_path_factory):
    """A device, and all that the program said on it."""
    device = BOARDS[request.param]
    path = checked_image(device, tmp_path_factory.mktemp("program"))
    try:
        command = resolved(all_runners()["qemu"].link(Job(device, path)))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return device, run_emulated(command)


def checked_image(device, folder):
    ticks = f"{ticks_of_a_ms(device)}U"
    return program_image(device, "board_check.c", folder, RNN_EDGE_TEST_TICKS_OF_A_MS=ticks)


def of(words, name):
    return [number for word, number in words if word == name]


def test_an_emulated_board_says_why_it_starts_and_keeps_its_ram(emulated):
    _, said = emulated
    first, second = said.after(1), said.after(2)
    assert of(first, "cause") == [Started.POWER]
    assert of(second, "cause") == [Started.SOFTWARE]
    assert of(first, "ram")[0] >= 100
    assert of(first, "erased") == [0, 0, 0]
    assert of(first, "written") == [0, 0, 0]
    assert of(first, "second") == [0]
    assert of(second, "kept") == [0]


def test_the_watchdog_of_an_emulated_board_restarts_it_when_it_is_not_fed(emulated):
    device, said = emulated
    is_watched = device.name in WATCHED
    assert of(said.words, "watchdog") == [int(is_watched)]
    assert of(said.words, "fed") == ([3] if is_watched else [])
    assert len(of(said.words, "start")) == (3 if is_watched else 2)
    if is_watched:
        assert of(said.after(3), "cause") == [Started.WATCHDOG]


def test_a_fault_ends_the_emulator_with_a_code(emulated):
    _, said = emulated
    assert said.words[-1][0] == "fault"
    assert said.code == 101


@pytest.mark.parametrize("name", EMULATED)
def test_a_stack_that_leaves_ram_ends_the_emulator_with_a_code_too(name, tmp_path):
    path = program_image(EMULATED[name], "stack_check.c", tmp_path)
    try:
        command = resolved(all_runners()["qemu"].link(Job(EMULATED[name], path)))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    assert run_emulated(command).code == 101


@pytest.fixture(scope="module", params=list(LEDS))
def simulated(request, tmp_path_factory):
    """A device, what the program said on it so far, and the simulator, at what is not fed."""
    device = BOARDS[request.param]
    try:
        labwired = require("labwired", "sim", "the test")
    except MissingDependencyError as error:
        pytest.skip(str(error))
    path = checked_image(device, tmp_path_factory.mktemp("program"))
    simulator = labwired.Sim(path, chip=device.simulator.chip, uart=device.simulator.uart)
    with simulator:
        lit = run_simulated(simulator, "shown", step="100us")
        led = simulator.read_u32(LEDS[device.name][0])
        said = run_simulated(simulator, "fed", before=lit)
        yield device, said, simulator, led


def test_a_simulated_board_keeps_its_memories_over_a_restart(simulated):
    device, said, simulator, _ = simulated
    first, second = said.after(1), said.after(2)
    assert of(first, "flash") == [device.board.numbers["flash_place_bytes"]]
    assert of(first, "written") == [0] * 6
    assert of(first, "erased")[:3] == [0] * 3
    assert of(second, "kept")[0] == 0
    if device.name == "rpi-pico":
        # What the simulated flash is told is not seen where it is read.
        return
    assert of(first, "second") == [0, 0]
    assert of(second, "kept") == [0, 0]
    places, size = (device.board.numbers[f"flash_place{end}"] for end in ("s", "_bytes"))
    for place in (0, 1):
        found = simulator.read_memory(places + place * size, 1024)
        expected = bytes((11 * k + (k // 256) + 101 * place + 7) % 256 for k in range(0, 1024))
        assert bytes(found) == expected
    if device.name == "nrf52840-dk":
        # The only one whose erasing is simulated.
        assert of(first, "erased") == [0] * 6


def test_the_led_of_a_simulated_board_is_switched(simulated):
    device, _, simulator, led = simulated
    register, bit, is_low = LEDS[device.name]
    assert bool(led & bit) != is_low
    assert bool(simulator.read_u32(register) & bit) == is_low


@pytest.mark.parametrize("what", [CLOCKED, WATCHDOG_SET_UP], ids=["clock", "watchdog"])
def test_registers_of_a_simulated_board_are_set_as_its_manual_wants(simulated, what):
    device, _, simulator, _ = simulated
    for register, bits, expected in what[device.name]:
        assert simulator.read_u32(register) & bits == expected, hex(register)


def test_a_watchdog_that_is_not_fed_is_noticed_and_a_fault_restarts_the_board(simulated):
    device, _, simulator, _ = simulated
    simulator.run_for("100ms")
    if device.name == "rpi-pico":
        # The simulator counts it down and does not restart: it keeps the reason.
        assert simulator.read_u32(0x40058008) & 1
    simulator.write_u32(*RESTART)
    if device.name == "nrf52840-dk":
        with pytest.raises(RuntimeError, match="0xe000edf0"):
            # There is no debugger's register here to look whether one is there.
            simulator.run_for("100ms")
        words = spoken(simulator.read_uart_bytes())
        assert words[0] == ("start", 3)
        assert words[-1] == ("fault", 0)
        return
    simulator.run_for("100ms")
    words = spoken(simulator.read_uart_bytes())
    assert of(words, "start") == [3, 4]
    assert [word for word, _ in words][-4:] == ["fault", "start", "cause", "end"]
    if device.name == "rpi-pico":
        assert of(words, "cause") == [Started.SOFTWARE] * 2
