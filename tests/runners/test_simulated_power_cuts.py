"""A simulated board whose power is cut while it saves its stream to flash: old or new, no mix."""

import importlib.util
import os
import shutil
import signal
import threading
import time

import numpy as np
import pytest
from board_programs import BOARDS, MODEL, image

from rnn_edge.errors import LinkError
from rnn_edge.links.application import Mode, Origin
from rnn_edge.links.client import LinkClient
from rnn_edge.links.process import ProcessStream
from rnn_edge.runners.base import Job, all_runners

DEVICE = BOARDS["nrf52840-dk"].as_simulated()
"""Of the simulated boards the one whose flash is erased as that of the chip."""
CUTS = (0.0, 0.2, 0.35, 0.45, 0.55, 0.65, 0.8, 1.1, 2.0)
"""When the power goes, in lengths of an undisturbed save."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("labwired") is None, reason="labwired is not installed"
    ),
    pytest.mark.skipif(
        shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed"
    ),
]


@pytest.fixture
def switch_on(tmp_path):
    """A function that switches the board on, with the flash that it had."""
    numbers = DEVICE.board.numbers
    places, size = numbers["flash_places"], 2 * numbers["flash_place_bytes"]
    job = Job(DEVICE, image(DEVICE, tmp_path / "image").path)
    kept = ("--keep", str(tmp_path / "flash"), hex(places), str(size))
    clients = []

    def opened():
        stream = ProcessStream((*all_runners()["labwired"].link(job), *kept), "Board")
        client = LinkClient(stream, 5.0, 4)
        clients.append(client)
        client.open()
        return stream.pid, client

    yield opened
    for client in clients:
        client.close()


def frames(count, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(-4000, 4000, (count, MODEL.inputs), dtype=np.int16)


def cut_after(pid, delay_s):
    def cut():
        time.sleep(delay_s)
        os.kill(pid, signal.SIGTERM)

    thread = threading.Thread(target=cut, daemon=True)
    thread.start()
    return thread


def test_the_state_is_the_old_or_the_new_one_wherever_the_power_is_cut(switch_on):
    _, client = switch_on()
    assert client.about().origin is Origin.ZERO
    client.set_mode(Mode.HOST)
    client.step(frames(5, 0))
    begun = time.monotonic()
    assert client.save() is Origin.FLASH
    save_s = time.monotonic() - begun
    old = client.state()
    client.close()
    outcomes = {"old": 0, "new": 0}
    for k, part in enumerate((*CUTS, None)):
        pid, client = switch_on()
        assert client.about().origin is Origin.FLASH
        assert client.state() == old
        client.set_mode(Mode.HOST)
        client.step(frames(1, k + 1))
        new = client.state()
        assert new != old
        # Without a part of its time the save ends, and the power goes afterwards.
        thread = None if part is None else cut_after(pid, part * save_s)
        try:
            has_saved = client.save() is Origin.FLASH
        except LinkError:
            has_saved = False
        assert has_saved or thread is not None
        if thread is None:
            os.kill(pid, signal.SIGTERM)
        else:
            thread.join()
        client.close()
        _, client = switch_on()
        assert client.about().origin is Origin.FLASH
        found = client.state()
        client.close()
        assert found in (old, new)
        assert found == new or not has_saved
        outcomes["new" if found == new else "old"] += 1
        old = found
    assert outcomes["old"] > 0
    assert outcomes["new"] > 0
