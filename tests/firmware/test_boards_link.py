"""Every board with the application, emulated or simulated, over its UART against the reference."""

import numpy as np
import pytest
from board_programs import BOARDS, EMULATED, MODEL, RECIPE, SIMULATED, image, with_board
from c_models import frames

from rnn_edge.engines.board import Place, open_here, runner_here
from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import MissingDependencyError
from rnn_edge.links.application import Found, Mode, Origin, Started
from rnn_edge.links.client import LinkClient
from rnn_edge.links.process import ProcessStream
from rnn_edge.reference import IntegerReference
from rnn_edge.runners.base import Job

pytestmark = pytest.mark.slow

STEPS = 240
X = frames(RECIPE, STEPS)
RUN_HERE = [*EMULATED, *SIMULATED]
SAYS_WHY_IT_STARTED = [*EMULATED, "rpi-pico"]
"""The simulator restarts the processor, and of the others no register that would say so."""


@pytest.fixture(scope="module", params=RUN_HERE)
def board(request, tmp_path_factory):
    """A device, and a function that switches it on."""
    device = BOARDS[request.param].as_simulated()
    made = image(device, tmp_path_factory.mktemp("board"))
    return device, opener(device, made)


def opener(device, made):
    def open_one():
        try:
            return open_here(Place(device, None, device.simulator is not None), made.path)
        except MissingDependencyError as error:
            pytest.skip(str(error))

    return open_one


def assert_equal_to_the_reference(engine, x):
    expected = IntegerReference(MODEL).run(x[None])
    trace = engine.run(x)
    np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
    for name, value in expected.states.items():
        np.testing.assert_array_equal(trace.states[name], value[0])
        np.testing.assert_array_equal(engine.state()[name], value[0][-1])


def test_every_bit_is_that_of_the_reference_and_no_byte_is_lost(board):
    device, open_one = board
    with LinkEngine(MODEL, LinkClient(open_one(), 10.0)) as engine:
        assert_equal_to_the_reference(engine, X)
        engine.reset()
        # Frames come while others are stepped, as many as the window allows.
        expected = IntegerReference(MODEL).run(X[None])
        np.testing.assert_array_equal(engine.client.stream(X), expected.outputs[0])
        counters, status = engine.counters(), engine.client.status()
        assert engine.client.statistics.retries == 0
    assert counters.steps == 2 * STEPS
    assert counters.damaged == 0
    assert status.lost_bytes == 0
    runs_at = device.emulator or device.simulator
    mean = counters.ticks / counters.steps * runs_at.instructions_per_tick
    # About 900 multiply-adds, gates and the work of the link; from vectors to a core without any.
    assert 2_000 < mean < 60_000
    assert mean <= counters.most_ticks * runs_at.instructions_per_tick < 1.3 * mean
    assert 100 < counters.stack_bytes < 0.6 * device.memory.stack_bytes


def test_a_board_tells_what_it_is_and_goes_on_after_a_restart(board):
    device, open_one = board
    with LinkEngine(MODEL, LinkClient(open_one(), 10.0)) as engine:
        client = engine.client
        first = client.about()
        engine.run(X[:100])
        before = engine.state()
        client.restart()
        client.open()
        second = client.about()
        client.set_mode(Mode.HOST)
        assert_states_equal(engine.state(), before)
        expected = IntegerReference(MODEL).run(X[None]).outputs[0]
        np.testing.assert_array_equal(client.step(X[100:110]), expected[100:110])
    assert first.device == second.device
    assert first.origin is Origin.ZERO
    assert second.origin in (Origin.RAM, Origin.FLASH)
    assert Found.HAS_RAM in first.found
    has_watchdog = "watchdog_none" not in device.board.parts
    assert first.watchdog_ms == (4000 if has_watchdog else 0)
    has_flash = "flash_none" not in device.board.parts
    assert (Found.HAS_FLASH in first.found) == has_flash
    if device.name in SAYS_WHY_IT_STARTED:
        assert second.started is Started.SOFTWARE
    if device.emulator is not None:
        assert first.started is Started.POWER


def assert_states_equal(found, expected):
    assert list(found) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("name", ["qemu-m0", "qemu-m4", "qemu-m33", "qemu-rv32"])
def test_semihosting_takes_the_place_of_the_uart(name, tmp_path):
    device = EMULATED[name]
    uart = next(part for part in device.board.parts if part.startswith("uart_"))
    # No handler is there for an interrupt whose number is.
    without = ("uart_irq",) if "idle_cortex_m" in device.board.parts else ()
    other = with_board(device, {uart: "link_semihosting", "receive_ring": None}, without)
    other = other.model_copy(update={"links": ("semihosting",)})
    made = image(other, tmp_path)
    with LinkEngine(MODEL, LinkClient(opener(other, made)(), 10.0)) as engine:
        assert_equal_to_the_reference(engine, X)
        assert engine.client.statistics.retries == 0


def test_a_board_loses_nothing_at_the_rate_of_its_line(tmp_path):
    # In simulated time each byte takes 87 us; a step takes as long as some of them.
    device = SIMULATED["nucleo-f401re"].as_simulated()
    place = Place(device, None, True)
    made = image(device, tmp_path)
    try:
        command = runner_here(place).link(Job(device, made.path))
    except MissingDependencyError as error:
        pytest.skip(str(error))
    paced = [*command, "--baud", str(device.board.numbers["uart_baud"])]
    client = LinkClient(ProcessStream(paced, "Simulator"), 20.0)
    x = X[:80]
    with LinkEngine(MODEL, client) as engine:
        expected = IntegerReference(MODEL).run(x[None])
        np.testing.assert_array_equal(client.stream(x), expected.outputs[0])
        assert client.status().lost_bytes == 0
        assert engine.counters().damaged == 0
