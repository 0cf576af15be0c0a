"""The link on an emulated Cortex-M4, over a UART, on a good line and on a bad one."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from c_models import Recipe, build, export, frames
from link_lines import FaultyStream

from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.errors import MissingDependencyError
from rnn_edge.firmware import baremetal
from rnn_edge.firmware.program import LINK, build_program
from rnn_edge.firmware.tools import program
from rnn_edge.links.client import LinkClient
from rnn_edge.links.process import ProcessStream
from rnn_edge.reference import IntegerReference
from rnn_edge.spec import all_devices

RECIPE = Recipe(seed=41, kinds=("lstm", "gru"), units=(12, 7), inputs=4, outputs=3, name="board")
MODEL = build(RECIPE)
SERIAL = ("-display", "none", "-monitor", "none", "-parallel", "none", "-serial", "stdio")


@pytest.fixture(scope="module", params=["qemu-m3", "qemu-m4", "qemu-m7"])
def command(request, tmp_path_factory):
    """What runs an image with the link on a board of the MPS2 family."""
    device = all_devices()[request.param]
    folder = tmp_path_factory.mktemp("board")
    try:
        emulator = program(device.emulator.program, "the test")
        recipe = baremetal.recipe(device)
        others = [name for name in recipe.templates if not name.endswith("semihosting.c")]
        over_uart = dataclasses.replace(
            recipe,
            templates=(*others, "service/rnn_edge_service.h"),
            generated={
                **recipe.generated,
                "link_uart.c": (Path(__file__).parent / "link_uart.c").read_text(),
            },
            flags=(*recipe.flags, "-Werror", "-Wall", "-Wextra"),
        )
        sources = sorted(export(MODEL, folder).iterdir())
        image = build_program(over_uart, MODEL, sources, folder / "work", service=LINK)
    except MissingDependencyError as error:
        pytest.skip(str(error))
    return [emulator, *device.emulator.arguments, *SERIAL, "-kernel", str(image)]


@pytest.mark.slow
def test_the_link_of_a_board_has_every_bit_of_the_reference(command):
    x = frames(RECIPE, 600)
    expected = IntegerReference(MODEL).run(x[None])
    client = LinkClient(ProcessStream(command, "Emulator"), 5.0)
    with LinkEngine(MODEL, client) as engine:
        trace = engine.run(x)
        np.testing.assert_array_equal(trace.outputs, expected.outputs[0])
        for name, value in expected.states.items():
            np.testing.assert_array_equal(trace.states[name], value[0])
            np.testing.assert_array_equal(engine.state()[name], value[0][-1])
        engine.reset()
        np.testing.assert_array_equal(client.stream(x), expected.outputs[0])
        counters = engine.counters()
        assert len(client.log()) == 16
    assert counters.steps == 1200
    assert 0 < counters.ticks / counters.steps <= counters.most_ticks
    assert 100 < counters.stack_bytes < 1024
    assert client.statistics.retries == 0


@pytest.mark.slow
def test_a_board_on_a_bad_line_steps_every_frame_once(command):
    x = frames(RECIPE, 600)
    expected = IntegerReference(MODEL).run(x[None])
    line = FaultyStream(ProcessStream(command, "Emulator"), seed=2, rate=0.003)
    with LinkEngine(MODEL, LinkClient(line, 0.5, 60)) as engine:
        rows = [engine.client.step(x[k : k + 2]) for k in range(0, 300, 2)]
        rows.append(engine.client.stream(x[300:]))
        np.testing.assert_array_equal(np.concatenate(rows), expected.outputs[0])
        for name, value in engine.state().items():
            np.testing.assert_array_equal(value, expected.states[name][0][-1])
        assert engine.counters().steps == 600
        assert engine.client.statistics.retries > 20
