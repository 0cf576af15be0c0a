"""The link on emulated boards, over their UARTs, on a good line and on a bad one."""

import numpy as np
import pytest
from board_programs import EMULATED, MODEL, RECIPE, image
from c_models import frames
from link_lines import FaultyStream

from rnn_edge.engines.board import Place, open_here
from rnn_edge.engines.link_engine import LinkEngine
from rnn_edge.links.client import LinkClient
from rnn_edge.reference import IntegerReference


@pytest.fixture(scope="module", params=["qemu-m3", "qemu-m4", "qemu-m7"])
def open_board(request, tmp_path_factory):
    """What runs the image of a board of the MPS2 family."""
    device = EMULATED[request.param]
    made = image(device, tmp_path_factory.mktemp("board"))
    return lambda: open_here(Place(device), made.path)


@pytest.mark.slow
def test_the_link_of_a_board_has_every_bit_of_the_reference(open_board):
    x = frames(RECIPE, 600)
    expected = IntegerReference(MODEL).run(x[None])
    client = LinkClient(open_board(), 5.0)
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
def test_a_board_on_a_bad_line_steps_every_frame_once(open_board):
    x = frames(RECIPE, 600)
    expected = IntegerReference(MODEL).run(x[None])
    line = FaultyStream(open_board(), seed=2, rate=0.003)
    with LinkEngine(MODEL, LinkClient(line, 0.5, 60)) as engine:
        rows = [engine.client.step(x[k : k + 2]) for k in range(0, 300, 2)]
        rows.append(engine.client.stream(x[300:]))
        np.testing.assert_array_equal(np.concatenate(rows), expected.outputs[0])
        for name, value in engine.state().items():
            np.testing.assert_array_equal(value, expected.states[name][0][-1])
        assert engine.counters().steps == 600
        assert engine.client.statistics.retries > 20
